/**
 * Prettier plugin for AssemblyScript: the TypeScript parser refuses decorators on functions and variables
 * (`@inline function`), so they are hidden in block comments while it runs and printed as they were.
 */
import { NodeKind, Parser } from 'assemblyscript'
import * as estree from 'prettier/plugins/estree'
import * as typescript from 'prettier/plugins/typescript'

const MARK = '\u2060decorator:'
const AST_FORMAT = 'estree-assemblyscript'

/** Decorators of classes and of their members are valid TypeScript and stay. */
const hidden = new Set([NodeKind.FunctionDeclaration, NodeKind.Variable, NodeKind.VariableDeclaration])
hidden.add(NodeKind.EnumDeclaration).add(NodeKind.NamespaceDeclaration).add(NodeKind.TypeDeclaration)

function* invalidDecorators(statements) {
  for (const statement of statements) {
    if (statement.kind === NodeKind.NamespaceDeclaration) yield* invalidDecorators(statement.members)
    if (hidden.has(statement.kind)) {
      yield* statement.decorators ?? []
      // `@lazy const x` carries its decorators on the declaration inside the statement.
      for (const declaration of statement.declarations ?? []) yield* declaration.decorators ?? []
    }
  }
}

function preprocess(text) {
  const parser = new Parser()
  parser.parseFile(text, 'file.ts', true)
  const ranges = new Map()
  for (const { range } of invalidDecorators(parser.sources[0].statements)) ranges.set(range.start, range.end)
  let result = ''
  let cursor = 0
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    result += `${text.slice(cursor, start)}/*${MARK}${text.slice(start, end)}*/`
    cursor = end
  }
  return result + text.slice(cursor)
}

const base = estree.printers.estree

export const parsers = {
  assemblyscript: { ...typescript.parsers.typescript, astFormat: AST_FORMAT, preprocess },
}

export const printers = {
  [AST_FORMAT]: {
    ...base,
    printComment(path, options) {
      const { value } = path.node
      return value.startsWith(MARK) ? value.slice(MARK.length) : base.printComment(path, options)
    },
  },
}
