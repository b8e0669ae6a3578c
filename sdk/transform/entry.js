// The entry: what the host sees of a filter.

import { DiagnosticCode, SourceKind } from 'assemblyscript'

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
const CLASSES = { root: 'RootContext', http: 'HttpContext', stream: 'StreamContext' }

/** Exports that few filters need lie in modules of their own, so that the others do not compile what they need. */
function exportLines(callbacks) {
  const modules = { exports: [], exports_calls: [], exports_envoy: [] }
  for (const name of callbacks) {
    const isCall = BY_USE.some(([, names]) => names.includes(name))
    modules[isCall ? 'exports_calls' : name.startsWith('envoy_') ? 'exports_envoy' : 'exports'].push(name)
  }
  return Object.entries(modules)
    .filter(([, names]) => names.length)
    .map(([module, names]) => `export { ${names.join(', ')} } from '@meshscript/sdk/${module}'`)
}

/** Adds the entry source to the program; answers the names of the callbacks that it exports. */
export function addEntry(parser, sources, contexts) {
  const main = findMain(sources)
  if (!main) return []
  const callbacks = new Set(ALWAYS)
  for (const context of contexts) for (const { abi } of context.callbacks) callbacks.add(abi)
  const own = sources.filter((source) => !source.internalPath.startsWith('~lib/@meshscript/sdk/'))
  for (const [use, names] of BY_USE) {
    if (own.some((source) => use.test(source.text))) names.forEach((name) => callbacks.add(name))
  }

  const registersItself = /\bregisterRoot\w*\s*\(/.test(main.text)
  const chosen = chooseClasses(parser, main, contexts, registersItself)
  if (!chosen) return []
  const imports = chosen.map(({ name }) => name)
  const registrations = chosen.map(({ kind, name }) => `${FACTORIES[kind]}(() => new ${name}())`)

  replaceEntry(parser, main, [
    `import ${imports.length ? `{ ${imports.join(', ')} } from ` : ''}'${pathOf(main)}'`,
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

/** The classes that the entry registers: of each kind, the one that the file exports. Undefined where an error was reported. */
function chooseClasses(parser, main, contexts, registersItself) {
  const own = contexts.filter(({ source, isAbstract }) => source === main && !isAbstract)
  const hasRoot = contexts.some(({ kind }) => kind === 'root')
  const chosen = []
  for (const kind of ['root', 'http', 'stream']) {
    if (kind === 'root' && registersItself) continue
    const [first, second] = own.filter((context) => context.kind === kind && context.isExported)
    if (!second) {
      if (first) chosen.push(first)
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
  if (chosen.length || registersItself) return chosen
  const message = own.length
    ? `Export class ${own[0].name}, so that the build can register it.`
    : 'A filter exports a class that extends HttpContext, StreamContext or RootContext; this file has none.'
  report(parser, own[0] ?? { declaration: main }, message)
  return undefined
}

export function report(parser, { declaration }, message) {
  const range = declaration.name?.range ?? declaration.range
  parser.error(DiagnosticCode.User_defined_0, range, message)
}
