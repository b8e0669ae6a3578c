// Everything that the old package's runtime.ts exports.

import { abort as fail } from '../../abort'

// Lists, not `export *`, which asc leaves out of namespace imports.
export {
  BufferFlagsValues,
  BufferTypeValues,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterMetadataStatusValues,
  FilterStatusValues,
  FilterTrailersStatusValues,
  GrpcStatusValues,
  HeaderMapTypeValues,
  LogLevelValues,
  MetricTypeValues,
  PeerTypeValues,
  StreamTypeValues,
  WasmResultValues,
} from './enums'
export {
  add_header_map_value,
  add_header_map_value_string,
  get_header_map_size,
  get_header_map_value,
  HeaderPair,
  Headers,
  remove_header_map_value,
  remove_header_map_value_string,
  replace_header_map_value,
  replace_header_map_value_string,
  stream_context,
} from './headers'
export {
  clear_route_cache,
  continue_request,
  continue_response,
  done,
  get_buffer_bytes,
  get_buffer_status,
  get_current_time_nanoseconds,
  get_property,
  get_status,
  log,
  proxy_set_effective_context,
  send_local_response,
  set_property,
  set_tick_period_milliseconds,
} from './host'
export { Counter, define_metric, Gauge, get_metric, Histogram, increment_metric, record_metric } from './metrics'
export {
  dequeue_shared_queue,
  enqueue_shared_queue,
  get_shared_data,
  register_shared_queue,
  resolve_shared_queue,
  set_shared_data,
} from './shared'
export { BaseContext, Context, HttpCallback, RootContext } from './contexts'
export {
  deleteContext,
  ensureContext,
  ensureRootContext,
  getBaseContext,
  getContext,
  getRootContext,
  registerRootContext,
} from './registry'

/** What the old package had filters name in `--use abort=…`. The build here names the SDK's own. */
// @ts-ignore: decorator
@global
export function abort_proc_exit(
  message: string | null,
  fileName: string | null,
  lineNumber: u32,
  columnNumber: u32,
): void {
  fail(message, fileName, lineNumber, columnNumber)
}

/** Room for one value that a hostcall of `imports` writes. */
export class Reference<T> {
  data: T

  ptr(): usize {
    return changetype<usize>(this) + offsetof<Reference<T>>('data')
  }
}
