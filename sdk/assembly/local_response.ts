import { GrpcStatus, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { ByteString, utf8 } from './memory/bytes'
import { Headers } from './memory/pairs'
import { noteEnd, phase, Phase, refuse } from './phase'
import { isStreamOver } from './stream_end'

/** See `HttpContextBase.sendLocalResponse`. */
export function sendLocalResponse(
  status: u32,
  body: ByteString,
  headers: Headers | null,
  grpcStatus: GrpcStatus,
  details: ByteString,
): Status {
  if (phase == Phase.Closed) return refuse(utf8('sendLocalResponse: the stream is not open'))
  if (phase == Phase.Other && isStreamOver()) return Status.BadArgument
  if (isDefined(MESHSCRIPT_BUNDLE)) noteEnd()
  const lines = headers ? headers.encode() : ByteString.empty
  return host.send_local_response(
    status,
    details.ptr,
    details.length,
    body.ptr,
    body.length,
    lines.ptr,
    lines.length,
    grpcStatus,
  )
}
