import { LogLevel } from './abi/enums'
import * as host from './abi/hostcalls'
import { slot, view } from './memory/bytes'

/**
 * Log lines, as Envoy writes them: `wasm log PLUGIN ROOT VM: message`.
 *
 * `meshscript build` asks for the host's level before the arguments of `log.trace` … `log.critical` are evaluated, so that
 * a message that nobody reads costs no formatting.
 */
export namespace log {
  /** Writes a line of level trace. */
  export function trace<T>(message: T): void {
    write(LogLevel.Trace, message)
  }

  /** Writes a line of level debug. */
  export function debug<T>(message: T): void {
    write(LogLevel.Debug, message)
  }

  /** Writes a line of level info. */
  export function info<T>(message: T): void {
    write(LogLevel.Info, message)
  }

  /** Writes a line of level warn. */
  export function warn<T>(message: T): void {
    write(LogLevel.Warn, message)
  }

  /** Writes a line of level error. */
  export function error<T>(message: T): void {
    write(LogLevel.Error, message)
  }

  /** Writes a line of level critical. */
  export function critical<T>(message: T): void {
    write(LogLevel.Critical, message)
  }

  /** Writes a line of the given level. The host drops it when it logs from a higher level only. */
  export function write<T>(level: LogLevel, message: T): void {
    const text = view(message)
    host.log(level, text.ptr, text.length)
  }

  /** True when the host writes lines of this level. */
  export function isEnabled(level: LogLevel): bool {
    return level >= log.level()
  }

  /** The lowest level that the host writes. */
  export function level(): LogLevel {
    const out = changetype<usize>(slot())
    return host.get_log_level(out) == 0 ? load<u32>(out) : LogLevel.Trace
  }
}
