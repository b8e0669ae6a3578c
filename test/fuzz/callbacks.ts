/** The ABI's callbacks by what kind of context they are for. */

const list = (names: string): readonly string[] => names.split(' ').map((name) => `proxy_on_${name}`)

export const STREAM_CALLBACKS = list(
  'request_headers request_body request_trailers request_metadata response_headers response_body response_trailers response_metadata log done',
)
export const TCP_CALLBACKS = list(
  'new_connection downstream_data upstream_data downstream_connection_close upstream_connection_close log done',
)
/** Ticks are the only ones that are frequent. */
export const ROOT_CALLBACKS = list('tick tick queue_ready foreign_function done vm_start')
