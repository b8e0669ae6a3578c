import { NodeKind } from 'assemblyscript'
import { forEachChild, parseExpression, parseStatements } from './snippet.js'

/**
 * Fits the runtime to a proxy, whose VMs live long and are many: one for each worker and each configuration.
 * Runtimes other than `--runtime minimal` keep their collector as it is.
 */
export function instrumentRuntime(sources, Parser) {
  const find = (path) => sources.find((source) => source.internalPath === path)
  const collector = find('~lib/rt/tcms')
  if (collector) tellManagedBytes(collector, Parser)
  const allocator = find('~lib/rt/tlsf')
  if (allocator) limitGrowth(allocator, Parser)
}

/** Adds `__managed_bytes()`: the collector counts what it holds, but tells nobody. */
function tellManagedBytes(collector, Parser) {
  const total = collector.statements.find(
    (statement) => statement.kind === NodeKind.Variable && statement.declarations[0].name.text === 'total',
  )
  if (!total) throw new Error("AssemblyScript's rt/tcms no longer has 'total': the SDK does not know this version")
  collector.statements.push(
    ...parseStatements(Parser, '@global export function __managed_bytes(): usize { return total; }', total.range),
  )
}

/** Lets memory grow by 1 MB (16 pages) at most beyond what is needed. The allocator would double it, and Wasm memory never shrinks. */
function limitGrowth(allocator, Parser) {
  const wanted = findDeclaration(allocator, 'pagesWanted')
  if (!wanted)
    throw new Error("AssemblyScript's rt/tlsf no longer has 'pagesWanted': the SDK does not know this version")
  wanted.initializer = parseExpression(Parser, 'max(min(pagesBefore, 16), pagesNeeded)', wanted.range)
}

function findDeclaration(node, name) {
  let found
  forEachChild(node, (child) => {
    found ??=
      child.kind === NodeKind.VariableDeclaration && child.name.text === name ? child : findDeclaration(child, name)
  })
  return found
}
