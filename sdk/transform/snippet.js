// Syntax trees made from text. Their nodes take the range of the node that they stand for, so that errors point there.

import { NodeKind } from 'assemblyscript'

export function parseStatements(Parser, text, range) {
  const parser = new Parser()
  parser.parseFile(text, 'snippet.ts', true)
  const { statements } = parser.currentSource ?? parser.sources[0]
  for (const statement of statements) place(statement, range)
  return statements
}

export function parseExpression(Parser, text, range) {
  return parseStatements(Parser, text, range)[0].expression
}

export function parseClassMembers(Parser, text, range) {
  return parseStatements(Parser, `class Snippet { ${text} }`, range)[0].members
}

/** True for syntax tree nodes. */
export function isNode(value) {
  return typeof value === 'object' && value !== null && typeof value.kind === 'number' && 'range' in value
}

/** Calls `visit(child, replace)` for each child of a node; `replace(other)` puts another in its place. */
export function forEachChild(node, visit) {
  for (const key of Object.keys(node)) {
    if (key === 'range') continue
    const value = node[key]
    if (isNode(value)) {
      if (value.kind !== NodeKind.Source) visit(value, (other) => (node[key] = other))
    } else if (Array.isArray(value)) {
      value.forEach((child, index) => {
        if (isNode(child)) visit(child, (other) => (value[index] = other))
      })
    }
  }
}

function place(node, range) {
  node.range = range
  forEachChild(node, (child) => place(child, range))
}
