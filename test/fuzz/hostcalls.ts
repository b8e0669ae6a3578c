/** The ABI's functions by what their parameters are, so that one place can answer all of them. */

/** Parameters: `n` number, `l` 64 bits, `b` bytes of the guest, `p` its header lines, `m` its memory to write to. Results: `*` bytes, `4` and `8` numbers of that size. */
export type Kind = 'n' | 'l' | 'b' | 'p' | 'm' | '*' | '4' | '8'

const TABLE = {
  proxy_log: 'n b',
  proxy_get_log_level: '4',
  proxy_get_current_time_nanoseconds: '8',
  proxy_set_tick_period_milliseconds: 'n',
  proxy_set_effective_context: 'n',
  proxy_done: '',
  proxy_get_buffer_bytes: 'n n n *',
  proxy_get_buffer_status: 'n 4 4',
  proxy_set_buffer_bytes: 'n n n b',
  proxy_get_header_map_size: 'n 4',
  proxy_get_header_map_pairs: 'n *',
  proxy_set_header_map_pairs: 'n p',
  proxy_get_header_map_value: 'n b *',
  proxy_add_header_map_value: 'n b b',
  proxy_replace_header_map_value: 'n b b',
  proxy_remove_header_map_value: 'n b',
  proxy_continue_stream: 'n',
  proxy_close_stream: 'n',
  proxy_get_status: '4 *',
  proxy_send_local_response: 'n b b p n',
  proxy_http_call: 'b p b p n 4',
  proxy_grpc_call: 'b b b p b n 4',
  proxy_grpc_stream: 'b b b p 4',
  proxy_grpc_send: 'n b n',
  proxy_grpc_cancel: 'n',
  proxy_grpc_close: 'n',
  proxy_get_shared_data: 'b * 4',
  proxy_set_shared_data: 'b b n',
  proxy_register_shared_queue: 'b 4',
  proxy_resolve_shared_queue: 'b b 4',
  proxy_enqueue_shared_queue: 'n b',
  proxy_dequeue_shared_queue: 'n *',
  proxy_define_metric: 'n b 4',
  proxy_record_metric: 'n l',
  proxy_increment_metric: 'n l',
  proxy_get_metric: 'n 8',
  proxy_get_property: 'b *',
  proxy_set_property: 'b b',
  proxy_call_foreign_function: 'b b *',
  envoy_resolve_dns: 'b 4',
  environ_sizes_get: '4 4',
  random_get: 'm',
}

export type HostcallName = keyof typeof TABLE | 'environ_get'

/** `environ_get` is not in it: where it writes to depends on what `environ_sizes_get` has answered. */
export const HOSTCALLS = Object.entries(TABLE).map(([name, kinds]) => ({
  name: name as HostcallName,
  kinds: kinds.split(' ').filter((kind) => kind !== '') as Kind[],
}))

export type CallKind = 'http' | 'grpc' | 'stream'

/** Those that begin what ends later. */
export const CALLS: Partial<Record<HostcallName, CallKind>> = {
  proxy_http_call: 'http',
  proxy_grpc_call: 'grpc',
  proxy_grpc_stream: 'stream',
}

/** Throws when the bytes are not one complete list of header lines. No bytes are no lines. */
export function checkPairs(bytes: Uint8Array): void {
  if (!bytes.length) return
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = view.getUint32(0, true)
  let at = 4 + 8 * count
  for (let i = 0; i < count; i++) {
    for (const field of [4, 8]) {
      at += view.getUint32(field + 8 * i, true)
      if (bytes[at++] !== 0) throw new Error('the filter has sent header lines that are malformed')
    }
  }
  if (at !== bytes.length) throw new Error('the filter has sent header lines that are malformed')
}
