// A TCP filter; 0.1.8 has the callbacks, but does not export them.

export * from '@solo-io/proxy-runtime/proxy'
import {
  Context,
  FilterStatusValues,
  LogLevelValues,
  RootContext,
  log,
  registerRootContext,
} from '@solo-io/proxy-runtime'
import { BufferTypeValues, PeerTypeValues, get_buffer_bytes } from '@solo-io/proxy-runtime/runtime'

class Tcp extends Context {
  onNewConnection(): FilterStatusValues {
    log(LogLevelValues.info, 'new connection')
    return FilterStatusValues.Continue
  }

  onDownstreamData(size: usize, end: bool): FilterStatusValues {
    const data = get_buffer_bytes(BufferTypeValues.NetworkDownstreamData, 0, size as u32)
    if (size) log(LogLevelValues.info, 'from the client: ' + String.UTF8.decode(data))
    return FilterStatusValues.Continue
  }

  onUpstreamData(size: usize, end: bool): FilterStatusValues {
    const data = get_buffer_bytes(BufferTypeValues.NetworkUpstreamData, 0, size as u32)
    if (size) log(LogLevelValues.info, 'from the service: ' + String.UTF8.decode(data))
    return FilterStatusValues.Continue
  }

  onDownstreamConnectionClose(t: PeerTypeValues): void {
    log(LogLevelValues.info, 'closed by ' + (t == PeerTypeValues.Local ? 'the proxy' : 'another'))
  }
}

class TcpRoot extends RootContext {
  createContext(context_id: u32): Context {
    return new Tcp(context_id, this)
  }
}

registerRootContext((context_id: u32) => new TcpRoot(context_id), 'tcp')
