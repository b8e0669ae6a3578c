// Rewrites of expressions, by their form alone. Where a form is not recognised the program means the same, only slower.

import { LiteralKind, NodeKind } from 'assemblyscript'
import { forEachChild, parseExpression, parseStatements } from './snippet.js'

/** Header maps and their methods, all of whose string arguments go to the host. */
const HEADER_MAPS = new Set([
  'requestHeaders',
  'requestTrailers',
  'responseHeaders',
  'responseTrailers',
  'requestBody',
  'responseBody',
  'downstreamData',
  'upstreamData',
])
/** Functions of the SDK whose string arguments go to the host. */
const FUNCTIONS = new Set(['sendLocalResponse'])

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical']

/** `sizeof` of the ByteString that a literal begins with. */
const VIEW_SIZE = 12

export function rewrite(source, Parser) {
  visit(source)

  function visit(node) {
    forEachChild(node, (child, replace) => {
      visit(child)
      if (child.kind === NodeKind.Call) rewriteCall(child, replace)
      else if (child.kind === NodeKind.Expression) rewriteLog(child, replace)
    })
  }

  function rewriteCall(call, replace) {
    const callee = call.expression
    if (callee.kind === NodeKind.Identifier && callee.text === 'utf8') {
      const text = literalText(call.args[0])
      if (text !== undefined) replace(encode(text, call.range))
      return
    }
    if (!takesBytes(callee)) return
    call.args.forEach((argument, index) => {
      const text = literalText(argument)
      if (text !== undefined) call.args[index] = encode(text, argument.range)
    })
  }

  function takesBytes(callee) {
    if (callee.kind === NodeKind.Identifier) return FUNCTIONS.has(callee.text)
    if (callee.kind !== NodeKind.PropertyAccess) return false
    if (FUNCTIONS.has(callee.property.text)) return true
    if (isLog(callee)) return true
    const receiver = callee.expression
    // `new Headers().add('a', 'b').add('c', 'd')`
    if (callee.property.text === 'add') {
      let at = receiver
      while (at.kind === NodeKind.Call && at.expression.kind === NodeKind.PropertyAccess) at = at.expression.expression
      if (at.kind === NodeKind.New && at.typeName.identifier.text === 'Headers') return true
    }
    return receiver.kind === NodeKind.PropertyAccess && HEADER_MAPS.has(receiver.property.text)
  }

  /** `log.debug(f(x))` → `if (log.isEnabled(1)) log.debug(f(x))`. A literal costs nothing to pass, so the host may drop it. */
  function rewriteLog(statement, replace) {
    const call = statement.expression
    if (call.kind !== NodeKind.Call || !isLog(call.expression)) return
    const argument = call.args[0]
    if (!argument || argument.kind !== NodeKind.Call ? literalText(argument) !== undefined : isEncoded(argument)) return
    const level = LOG_LEVELS.indexOf(call.expression.property.text)
    const [guard] = parseStatements(Parser, `if (log.isEnabled(${level})) {}`, statement.range)
    guard.ifTrue = statement
    replace(guard)
  }

  function encode(text, range) {
    const bytes = Buffer.from(text, 'utf8')
    const view = Buffer.alloc(VIEW_SIZE)
    view.writeUInt32LE(bytes.length, 4)
    const data = [...view, ...bytes].join(',')
    return parseExpression(Parser, `__utf8(memory.data<u8>([${data}], 4))`, range)
  }
}

function isLog(callee) {
  return (
    callee.kind === NodeKind.PropertyAccess &&
    callee.expression.kind === NodeKind.Identifier &&
    callee.expression.text === 'log' &&
    LOG_LEVELS.includes(callee.property.text)
  )
}

function isEncoded(call) {
  return call.expression.kind === NodeKind.Identifier && call.expression.text === '__utf8'
}

function literalText(node) {
  if (node?.kind !== NodeKind.Literal) return undefined
  if (node.literalKind === LiteralKind.String) return node.value
  if (node.literalKind === LiteralKind.Template && !node.tag && node.parts.length === 1) return node.parts[0]
  return undefined
}
