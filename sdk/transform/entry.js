// The entry: what the host sees of a filter.

import { SourceKind } from 'assemblyscript'
import { isSdk } from './contexts.js'
import { Names } from './names.js'
import { report } from './report.js'
import { chooseRoot, pathTo } from './roots.js'

/** Exported by every filter. */
const ALWAYS = ['proxy_abi_version_0_2_1', 'proxy_on_memory_allocate', 'proxy_on_context_create']

/** Functions of the SDK that need a callback of their own. */
const BY_USE = [
  [/\bhttpCall\b/, ['proxy_on_http_call_response']],
  [
    /\bgrpc(Call|Stream)\b/,
    [
      'proxy_on_grpc_receive_initial_metadata',
      'proxy_on_grpc_receive',
      'proxy_on_grpc_receive_trailing_metadata',
      'proxy_on_grpc_close',
    ],
  ],
]

const FACTORIES = { root: 'setRootFactory', http: 'setHttpFactory', stream: 'setStreamFactory' }
const REGISTERS = /\bregisterRoot\w*\s*\(/
const isAuthors = (internalPath) => !internalPath.startsWith('~lib/')
const CLASSES = { root: 'RootContext', http: 'HttpContext', stream: 'StreamContext' }

/** Exports that few filters need lie in modules of their own, so that the others do not compile what they need. */
export function exportLines(callbacks) {
  const modules = { exports: [], exports_calls: [], exports_envoy: [] }
  for (const name of callbacks) {
    const isCall = BY_USE.some(([, names]) => names.includes(name))
    modules[isCall ? 'exports_calls' : name.startsWith('envoy_') ? 'exports_envoy' : 'exports'].push(name)
  }
  return Object.entries(modules)
    .filter(([, names]) => names.length)
    .map(([module, names]) => `export { ${names.join(', ')} } from '@meshscript/sdk/${module}'`)
}

/** The exports that the contexts need: those of the callbacks that they override, and of what they use. */
export function findCallbacks(sources, contexts) {
  const callbacks = new Set(ALWAYS)
  for (const context of contexts) for (const { abi } of context.callbacks) callbacks.add(abi)
  const own = sources.filter((source) => !isSdk(source))
  for (const [use, names] of BY_USE) {
    if (own.some((source) => use.test(source.text))) names.forEach((name) => callbacks.add(name))
  }
  return callbacks
}

/** True for a filter's file that registers root contexts by itself. */
export function registersRoots({ text, internalPath }) {
  return isAuthors(internalPath) && REGISTERS.test(text)
}

/** Adds the entry source to the program; answers the names of the callbacks that it exports. */
export function addEntry(parser, sources, contexts) {
  const main = findMain(sources)
  if (!main) return []
  const callbacks = findCallbacks(sources, contexts)
  const names = new Names(parser.sources)
  const registersItself = parser.sources.some(registersRoots)
  const chosen = chooseClasses({ parser, main, beside: main, names, contexts, registersItself })
  if (!chosen) return []
  const imports = chosen.map(
    ({ name, from, as }, index) => `import { ${as} as Class${index} } from '${from}' // ${name}`,
  )
  const registrations = chosen.map(({ kind }, index) => `${FACTORIES[kind]}(() => new Class${index}())`)

  replaceEntry(parser, main, [
    `import '${pathOf(main)}'`,
    ...imports,
    `import { ${Object.values(FACTORIES).join(', ')} } from '@meshscript/sdk/registry'`,
    ...exportLines([...callbacks]),
    ...registrations,
  ])
  return [...callbacks]
}

/** The file that the author builds. */
export function findMain(sources) {
  return sources.find(
    ({ sourceKind, internalPath }) => sourceKind === SourceKind.UserEntry && !internalPath.startsWith('~lib/'),
  )
}

/** What the entry imports the author's file by. */
export function pathOf(main) {
  return `./${main.internalPath.split('/').pop()}`
}

/** Puts an entry of these lines in the place of the author's file: only the entry's exports become the module's. */
export function replaceEntry(parser, main, lines) {
  main.sourceKind = SourceKind.User
  const folder = main.internalPath.split('/').slice(0, -1).join('/')
  parser.parseFile(lines.join('\n'), `${folder ? folder + '/' : ''}meshscript-entry.ts`, true)
}

/**
 * The classes that the entry, which lies beside the file `beside`, registers of a filter, and where it imports them from: of each kind, the one that
 * the filter's file `main` exports; and the root context that they want. Undefined where an error was reported.
 */
export function chooseClasses({ parser, main, beside, names, contexts, registersItself }) {
  const exported = new Map([...names.exportsOf(main)].map(([as, { declaration }]) => [declaration, as]))
  const candidates = contexts.filter(({ declaration, isAbstract }) => exported.has(declaration) && !isAbstract)
  const hasRoot = contexts.some(({ kind }) => kind === 'root')
  const chosen = []
  for (const kind of ['root', 'http', 'stream']) {
    if (kind === 'root' && registersItself) continue
    const [first, second] = candidates.filter((context) => context.kind === kind)
    if (!second) {
      if (first) chosen.push({ ...first, from: pathTo(main, beside), as: exported.get(first.declaration) })
    } else if (kind === 'root' || !hasRoot) {
      const remedy =
        kind === 'root'
          ? "register each with registerRoot('ROOT ID', …)"
          : `let a RootContext choose in its create${CLASSES[kind]}`
      report(parser, second, `Several classes extend ${CLASSES[kind]}: ${remedy}, or export only one.`)
      return undefined
    }
    // Of several stream classes, the root context's `create…Context` takes one.
  }
  if (!chosen.length && !registersItself) {
    const [first] = contexts.filter(({ source, isAbstract }) => source === main && !isAbstract)
    const message = first
      ? `Export class ${first.name}, so that the build can register it.`
      : 'A filter exports a class that extends HttpContext, StreamContext or RootContext; this file has none.'
    report(parser, first ?? { declaration: main }, message)
    return undefined
  }
  // Which of several root contexts a stream belongs to is up to the root ids of its plugins.
  if (registersItself) return chosen
  return chooseRoot({ parser, main: beside, names, contexts, chosen })
}
