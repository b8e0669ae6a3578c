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
  const main = sources.find(
    (source) => source.sourceKind === SourceKind.UserEntry && !source.internalPath.startsWith('~lib/'),
  )
  if (!main) return []
  const callbacks = new Set(ALWAYS)
  for (const context of contexts) for (const { abi } of context.callbacks) callbacks.add(abi)
  const own = sources.filter((source) => !source.internalPath.startsWith('~lib/@meshscript/sdk/'))
  for (const [use, names] of BY_USE) {
    if (own.some((source) => use.test(source.text))) names.forEach((name) => callbacks.add(name))
  }

  const registrations = []
  const imports = []
  const registersItself = /\bregisterRoot\w*\b/.test(main.text)
  const found = { root: [], http: [], stream: [] }
  for (const context of contexts) {
    if (context.source === main && context.isExported && !context.isAbstract) found[context.kind].push(context)
  }
  for (const kind of ['root', 'http', 'stream']) {
    const [first, second] = found[kind]
    if (!first || (kind === 'root' && registersItself)) continue
    if (second) {
      if (kind !== 'root' && contexts.some((c) => c.kind === 'root')) continue // the roots' create…Context tell
      report(
        parser,
        second,
        `Several classes extend ${CLASSES[kind]}: ${kind === 'root' ? 'register each with registerRoot(…)' : 'let a RootContext choose in its create' + CLASSES[kind]}, or export only one.`,
      )
      continue
    }
    imports.push(first.name)
    registrations.push(`${FACTORIES[kind]}(() => new ${first.name}())`)
  }
  if (!registrations.length && !registersItself) {
    const hidden = contexts.find((context) => context.source === main && !context.isAbstract)
    const message = hidden
      ? `Export class ${hidden.name}, so that the build can register it.`
      : 'A filter exports a class that extends HttpContext, StreamContext or RootContext; this file has none.'
    report(parser, hidden ?? { declaration: main }, message)
    return []
  }

  // Only the entry's exports become the module's.
  main.sourceKind = SourceKind.User
  const path = `./${main.internalPath.split('/').pop()}`
  const folder = main.internalPath.split('/').slice(0, -1).join('/')
  const text = [
    `import ${imports.length ? `{ ${imports.join(', ')} } from ` : ''}'${path}'`,
    `import { ${Object.values(FACTORIES).join(', ')} } from '@meshscript/sdk/registry'`,
    ...exportLines([...callbacks]),
    ...registrations,
  ].join('\n')
  parser.parseFile(text, `${folder ? folder + '/' : ''}meshscript-entry.ts`, true)
  return [...callbacks]
}

function report(parser, { declaration }, message) {
  const range = declaration.name?.range ?? declaration.range
  parser.error(DiagnosticCode.User_defined_0, range, message)
}
