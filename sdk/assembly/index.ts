// @meshscript/sdk: what a filter imports.
export { Action, GrpcStatus, LogLevel, PeerType, Status } from './abi/enums'
export { Buffer } from './body'
export { Configuration } from './configuration'
export { Context, HttpContext, RootContext, StreamContext } from './context'
export { DnsResult, resolveDns } from './dns'
export { entryStamp } from './entry_stamp'
export { environment } from './environment'
export { filterState } from './filter_state'
export {
  callForeignFunction,
  clearRouteCache,
  compress,
  declareProperty,
  Expression,
  foreignStatus,
  LifeSpan,
  PropertyType,
  setEnvoyFilterState,
  sign,
  uncompress,
  verifySignature,
} from './foreign'
export { grpcCall, grpcCallStatus, GrpcResponse, GrpcStream } from './grpc'
export { HeaderMap } from './headers'
export { httpCall, HttpCallResponse, httpCallStatus } from './http_call'
export { JsonKind } from './json/node'
export { JsonValue, REQUIRED } from './json/value'
export { log } from './log'
export { Bytes, ByteString, utf8 } from './memory/bytes'
export { Headers, Pairs } from './memory/pairs'
export { protobufBytes, protobufInteger, ProtobufWriter } from './memory/protobuf'
export { Counter, CounterSeries, Gauge, GaugeSeries, Histogram, HistogramSeries, join } from './metrics'
export { property } from './properties'
export { registerRoot } from './registry'
export { sharedData, SharedValue } from './shared_data'
export { SharedQueue } from './shared_queue'
export { currentTime, currentTimeMillis } from './time'
