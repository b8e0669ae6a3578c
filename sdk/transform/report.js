import { DiagnosticCode } from 'assemblyscript'

/** Reports an error in a class, or in a whole source. */
export function report(parser, { declaration }, message) {
  const range = declaration.name?.range ?? declaration.range
  parser.error(DiagnosticCode.User_defined_0, range, message)
}
