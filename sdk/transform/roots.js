// The root context of a module with one: `this.root` of a stream is of the class that the author has said, or nothing is built. Nothing checks it later:
// a root of another class would be read as if it were one.

import { DiagnosticCode, NodeKind } from 'assemblyscript'
import { report } from './report.js'
import { forEachChild } from './snippet.js'

/** Completes the classes that the entry registers with the root context that they want. Undefined where an error was reported. */
export function chooseRoot({ parser, main, names, contexts, chosen }) {
  const fail = (context, message) => void report(parser, context, message)
  const wanting = contexts.filter((context) => context.root && !context.isAbstract && isUsed(context, chosen, names))
  let root = chosen.find(({ kind }) => kind === 'root')
  if (!root && wanting.length) {
    const [{ root: wanted }] = wanting
    const found = contexts.find(({ declaration }) => declaration === wanted.declaration)
    // What is no context class, the compiler refuses.
    if (!found) return chosen
    const { name, source } = found
    if (found.isAbstract) {
      return fail(found, `Export a class that extends ${name}, which is abstract, from the file that is built.`)
    }
    const as = [...names.exportsOf(source)].find(([, { declaration }]) => declaration === found.declaration)?.[0]
    if (!as) return fail(found, `Export class ${name}, so that the build can register it.`)
    root = { ...found, from: pathTo(source, main), as }
    chosen = [root, ...chosen]
  }
  for (const context of wanting) {
    const wanted = context.root.name
    if (extendsClass(root, context.root, names)) continue
    const remedy = `Let ${context.name} say so, or ${root.name} extend ${wanted}, or register each root with registerRoot('ROOT ID', …).`
    return fail(
      context,
      `${context.name} wants ${wanted} for its root, but the root context is ${root.name}. ${remedy}`,
    )
  }
  warnOfUnused({ parser, names, contexts, root })
  return chosen
}

/** A root context that nobody registers is never configured, which nothing else would tell. */
function warnOfUnused({ parser, names, contexts, root }) {
  for (const context of contexts) {
    const { kind, name, isAbstract, source, declaration } = context
    if (kind !== 'root' || isAbstract || source.internalPath.startsWith('~lib/')) continue
    if (root && extendsClass(root, context, names)) continue
    const message = `${name} is not registered: export it from the file that is built.`
    parser.warning(DiagnosticCode.User_defined_0, declaration.name.range, message)
  }
}

/** Whether the module makes objects of the class: the entry does, or an expression in the filter's own files. */
function isUsed(context, chosen, names) {
  if (chosen.some(({ declaration }) => declaration === context.declaration)) return true
  const isMade = (node, source) => {
    let found = node.kind === NodeKind.New && names.findType(node.typeName, source).declaration === context.declaration
    forEachChild(node, (child) => (found ||= isMade(child, source)))
    return found
  }
  return [...names.sources.values()].some(
    (source) => !source.internalPath.startsWith('~lib/') && isMade(source, source),
  )
}

function extendsClass({ declaration, source }, { declaration: wanted }, names) {
  const seen = new Set()
  while (declaration && declaration !== wanted && !seen.has(declaration)) {
    seen.add(declaration)
    const type = declaration.extendsType
    ;({ declaration, source } = type ? names.findType(type.name, source) : {})
  }
  return declaration === wanted
}

/** What the entry, which lies beside `main`, imports a file by. */
export function pathTo(source, main) {
  const path = source.internalPath
  if (path.startsWith('~lib/')) return path.slice('~lib/'.length)
  const from = main.internalPath.split('/').slice(0, -1)
  const to = path.split('/')
  while (from.length && from[0] === to[0]) {
    from.shift()
    to.shift()
  }
  return [...(from.length ? from.map(() => '..') : ['.']), ...to].join('/')
}
