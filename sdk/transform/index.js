// The asc transform that turns an author's file into a filter: `asc filter.ts --transform @meshscript/sdk/transform`,
// or, with checks and the right flags, `meshscript build`. It
//
// - adds the entry: exports of the ABI, of those callbacks that the file's contexts override, and the registration of its classes;
// - lets callbacks leave out parameters that they do not use, as TypeScript does;
// - encodes string literals that go to the host as UTF-8 at compile time;
// - asks for the log level before a log line's arguments are evaluated;
// - lets the SDK see how much the managed heap holds, so that it collects garbage only when it is worth it.

import { Parser } from 'assemblyscript'
import { Transform } from 'assemblyscript/transform'
import { addBundleEntry } from './bundle.js'
import { addEntry } from './entry.js'
import { addProxyRuntimeEntry, isProxyRuntimeFilter } from './proxy_runtime.js'
import { completeParameters, findContexts, isSdk, warnOfMisspelt } from './contexts.js'
import { report } from './report.js'
import { rewrite } from './rewrite.js'
import { instrumentRuntime } from './runtime.js'

/** The function that a build names in `--use abort=…`. */
export const ABORT = '~lib/@meshscript/sdk/abort/abort'

/** True for the SDK's sources and those that use it, wherever they come from; not for AssemblyScript's own library. */
const isOurs = (source) =>
  !source.internalPath.startsWith('~lib/') || source.text.includes('@meshscript/sdk') || isSdk(source)

export default class MeshscriptTransform extends Transform {
  /** Names of the callbacks that the module exports, after `afterParse`. */
  callbacks = []

  /** Where several filters become one module: their names in its configuration and their files, in order. Set by subclasses. */
  bundle = undefined

  afterParse(parser) {
    if (isProxyRuntimeFilter(parser)) {
      if (this.bundle) {
        const [source] = parser.sources.filter(({ text }) => text.includes('proxy-runtime'))
        return report(
          parser,
          { declaration: source },
          'In a bundle: filters for proxy-runtime are modules of their own.',
        )
      }
      this.callbacks = addProxyRuntimeEntry(parser)
      return
    }
    const sources = parser.sources.filter(isOurs)
    const contexts = findContexts(parser.sources)
    completeParameters(contexts, Parser)
    warnOfMisspelt(contexts, parser)
    for (const source of sources) rewrite(source, Parser)
    instrumentRuntime(parser.sources, Parser)
    this.callbacks = this.bundle
      ? addBundleEntry(parser, sources, contexts, this.bundle)
      : addEntry(parser, sources, contexts)
  }
}
