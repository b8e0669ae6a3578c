// The entry of a bundle: several filters in one module. Each is chosen from its file as the only filter of a module would be.

import { NodeKind } from 'assemblyscript'
import { chooseClasses, exportLines, findCallbacks, findMain, registersRoots, replaceEntry } from './entry.js'
import { Names } from './names.js'
import { report } from './report.js'

/** As in assembly/bundle/parts.ts. */
const TRAITS = { onRequestBody: 1, onResponseBody: 2, onLog: 8 }
const MAKES_CONTEXTS = 4

/**
 * Adds the entry source to the program; answers the names of the callbacks that it exports.
 *
 * @param parts {{ name: string, path: string }[]} The filters in the order of the chain: names in the configuration, and the files by their internal paths.
 */
export function addBundleEntry(parser, sources, contexts, parts) {
  const beside = findMain(sources)
  if (!beside) return []
  const names = new Names(parser.sources)
  const chosen = parts.map(({ name, path }) => choosePart({ parser, beside, names, contexts, name, path }))
  if (chosen.includes(undefined)) return []

  const callbacks = findCallbacks(sources, contexts)
  callbacks.add('proxy_on_configure')
  // Filters are started when they are configured: only then it is known which ones are on.
  callbacks.delete('proxy_on_vm_start')
  // A body that one filter holds has to be shown to those behind it when trailers end it.
  for (const half of ['request', 'response']) {
    if (callbacks.has(`proxy_on_${half}_body`)) callbacks.add(`proxy_on_${half}_trailers`)
  }
  const imports = chosen.flatMap(({ root, http }, index) => [
    ...(root ? [`import { ${root.as} as Root${index} } from '${root.from}'`] : []),
    ...(http ? [`import { ${http.as} as Http${index} } from '${http.from}'`] : []),
  ])
  const fields = chosen.map((_, index) => `part${index}: HttpContextBase | null = null`)
  const adding = chosen.map(({ name, traits, root, http }, index) => {
    const makeRoot = `(): RootContext => new ${root ? `Root${index}` : 'RootContext'}()`
    const makeHttp = http ? `(): HttpContextBase => new Http${index}()` : 'null'
    return `addPart(${JSON.stringify(name)}, ${traits}, ${makeRoot}, ${makeHttp})`
  })
  replaceEntry(parser, beside, [
    `import './${beside.internalPath.split('/').pop()}'`,
    ...imports,
    "import { addPart, BundleRoot, BundleStream, HttpContextBase, RootContext, setHttpFactory, setRootFactory } from '@meshscript/sdk/bundle/index'",
    ...exportLines([...callbacks]),
    '@final',
    `class Stream extends BundleStream { ${fields.join('; ')} }`,
    ...adding,
    'setRootFactory(() => new BundleRoot())',
    'setHttpFactory(() => new Stream())',
  ])
  return [...callbacks]
}

/** The classes of one filter. Undefined where an error was reported. */
function choosePart({ parser, beside, names, contexts, name, path }) {
  const main = names.sources.get(path)
  // The compiler reports a file that is not there.
  if (!main) return undefined
  const fail = (where, message) => void report(parser, where, `In a bundle: ${message}`)
  const files = reachable(main, names)
  const own = contexts.filter(({ source }) => files.has(source))
  const registering = [...files].find((source) => registersRoots(source))
  if (registering)
    return fail({ declaration: registering }, 'a filter has one root context, and does not register it by itself.')
  const classes = chooseClasses({ parser, main, beside, names, contexts: own, registersItself: false })
  if (!classes) return undefined
  const stream = classes.find(({ kind }) => kind === 'stream')
  if (stream) return fail(stream, 'filters are for HTTP; TCP filters are modules of their own.')
  const root = classes.find(({ kind }) => kind === 'root')
  const http = classes.find(({ kind }) => kind === 'http')
  const makesContexts = root
    ? lineOf(root, names).some((declaration) => hasMethod(declaration, 'createHttpContext'))
    : false
  // Which class a root context makes is not known: it may be any of the filter's.
  const streams = makesContexts
    ? own.filter(({ kind }) => kind === 'http').map(({ declaration }) => declaration)
    : http
      ? lineOf(http, names)
      : []
  let traits = makesContexts ? MAKES_CONTEXTS : 0
  for (const [callback, bit] of Object.entries(TRAITS)) {
    if (streams.some((declaration) => hasMethod(declaration, callback))) traits |= bit
  }
  return { name, traits, root, http }
}

/** The sources that a source imports, and itself. */
function reachable(main, names) {
  const found = new Set([main])
  for (const source of found) {
    for (const statement of source.statements) {
      if (statement.kind !== NodeKind.Import && !(statement.kind === NodeKind.Export && statement.path)) continue
      const target = names.target(statement)
      if (target) found.add(target)
    }
  }
  return found
}

/** A class and what it extends, as far as the sources go. */
function lineOf({ declaration, source }, names) {
  const line = []
  while (declaration && !line.includes(declaration)) {
    line.push(declaration)
    const type = declaration.extendsType
    ;({ declaration, source } = type ? names.findType(type.name, source) : {})
  }
  // The last ones are the SDK's own, which have every method.
  return line.filter((each) => !each.range.source.internalPath.startsWith('~lib/@meshscript/sdk/'))
}

function hasMethod(declaration, name) {
  return declaration.members.some((member) => member.kind === NodeKind.MethodDeclaration && member.name.text === name)
}
