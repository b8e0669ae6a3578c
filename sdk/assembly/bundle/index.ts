// Several filters in one module: what the entry of a bundle is made of.

import { Status, StreamType } from '../abi/enums'
import * as host from '../abi/hostcalls'
import { Bundle, setBundle } from '../bundle_hooks'
import { Context, ContextKind, HttpContextBase, RootContext } from '../context'
import { findHttp, findRoot } from '../registry'
import { parts } from './parts'
import { BundleRoot, currentPart, currentRoot, enter } from './root'
import { BundleStream } from './stream'

export { addPart } from './parts'
export { HttpContextBase, RootContext } from '../context'
export { BundleRoot } from './root'
export { BundleStream } from './stream'
export { setHttpFactory, setRootFactory } from '../registry'

/** Streams of which a filter goes on when the running callback has ended. */
const resumed: BundleStream[] = []

@final
class FilterBundle extends Bundle {
  continueStream(part: HttpContextBase, type: StreamType): Status {
    const stream = changetype<BundleStream>(findHttp(part.id))
    if (!stream) return Status.BadArgument
    stream.resumeLater(part, type)
    if (!resumed.includes(stream)) resumed.push(stream)
    return Status.Ok
  }

  setTickPeriod(part: RootContext, milliseconds: u32): Status {
    const root = changetype<BundleRoot>(findRoot(part.id))
    const index = root ? root.indexOf(part) : -1
    return index < 0 ? Status.BadArgument : root.ticks.set(index, milliseconds)
  }

  done(part: Context): Status {
    if (part.kind != ContextKind.Root) return host.done()
    const root = changetype<BundleRoot>(findRoot(part.id))
    return root ? root.partDone() : Status.BadArgument
  }

  createHttpContext(part: RootContext): HttpContextBase | null {
    const root = changetype<BundleRoot>(findRoot(part.id))
    const make = root ? parts[root.indexOf(part)].makeHttp : null
    return make ? make() : null
  }

  enterPart(part: Context): void {
    if (part.kind == ContextKind.Root) {
      const root = changetype<BundleRoot>(findRoot(part.id))
      if (root) enter(root, root.indexOf(changetype<RootContext>(part)))
    } else {
      const stream = changetype<BundleStream>(findHttp(part.id))
      if (stream) enter(stream.plugin, stream.indexOf(part))
    }
  }

  noteQueue(id: u32): void {
    if (currentPart >= 0) currentRoot!.noteQueue(id, currentPart)
  }

  noteQuery(token: u32): void {
    if (currentPart >= 0) currentRoot!.noteQuery(token, currentPart)
  }

  leave(): void {
    while (resumed.length) {
      const stream = resumed.shift()
      if (!stream.isDeleted) stream.resume()
    }
  }
}

setBundle(new FilterBundle())
