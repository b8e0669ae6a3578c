// Drop-in replacement of the npm package `@solo-io/proxy-runtime` 0.1.8: its names and signatures over this SDK's core.
// docs/migrating-from-proxy-runtime.md tells what differs.

export {
  BaseContext,
  RootContext,
  Context,
  registerRootContext,
  LogLevelValues,
  WasmResultValues,
  GrpcStatusValues,
  FilterStatusValues,
  FilterHeadersStatusValues,
  FilterMetadataStatusValues,
  FilterTrailersStatusValues,
  FilterDataStatusValues,
  stream_context,
  HeaderPair,
  Headers,
  Gauge,
  Histogram,
  Counter,
  log,
  HttpCallback,
  send_local_response,
  continue_request,
  continue_response,
  proxy_set_effective_context,
} from './runtime'

// What releases before 0.1.8 and forks of it had besides.
export { ContextHelper, RootContextHelper, makeHeaderPair } from './helpers'
