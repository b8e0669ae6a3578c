/** Only in ABI 0.1.0. */
import { StreamType } from '../abi.ts'
import { hostcall } from '../hostcall.ts'

export const legacy = {
  get_configuration: hostcall([], ['bytes'], (context) => [
    context.buffer(7)?.bytes ?? context.vm.options.configuration,
  ]),
  continue_request: hostcall([], [], (context) => context.continueStream(StreamType.Request)),
  continue_response: hostcall([], [], (context) => context.continueStream(StreamType.Response)),
  clear_route_cache: hostcall([], [], (context) => {
    context.clearRouteCache()
    return 0
  }),
}
