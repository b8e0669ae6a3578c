/** Log, time, contexts and status. */
import { Status } from '../abi.ts'
import { toText } from '../bytes.ts'
import { hostcall } from '../hostcall.ts'

export const lifecycle = {
  log: hostcall(['u32', 'text'], [], (context, level, message) => {
    if (level > 5) return Status.BadArgument
    if (level >= context.host.logLevel) context.log(level, toText(message))
    return Status.Ok
  }),
  get_log_level: hostcall([], ['u32'], (context) => [context.host.logLevel]),
  get_current_time_nanoseconds: hostcall([], ['u64'], (context) => [context.host.clock.nanoseconds]),
  set_tick_period_milliseconds: hostcall(['u32'], [], (context, period) => {
    context.root.tick(period)
    return Status.Ok
  }),
  set_effective_context: hostcall(['u32'], [], (context, id) =>
    context.vm.setEffective(id) ? Status.Ok : Status.BadArgument,
  ),
  done: hostcall([], [], (context) => {
    const { root } = context
    if (!root.finishing) return Status.NotFound
    root.finishing = false
    context.vm.defer(() => root.remove())
    return Status.Ok
  }),
  get_status: hostcall([], ['u32', 'bytes'], (context) => [context.root.statusCode, context.root.statusMessage]),
}
