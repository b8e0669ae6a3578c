/** Going on, closing and answering. */
import { hostcall } from '../hostcall.ts'
import { Status } from '../abi.ts'

export const streams = {
  continue_stream: hostcall(['stream'], [], (context, type) => context.continueStream(type)),
  close_stream: hostcall(['stream'], [], (context, type) => context.closeStream(type)),
  send_local_response: hostcall(
    ['u32', 'text', 'bytes', 'pairs', 'i32'],
    [],
    (context, status, details, body, headers, grpcStatus) => {
      context.sendLocalResponse({ status, details, body, headers, grpcStatus })
      // Whatever the callback returns.
      context.vm.stopIteration = true
      return Status.Ok
    },
  ),
}
