import { LogLevel } from './abi/enums'
import * as host from './abi/hostcalls'
import { allocate } from './memory/arena'
import { encode, encodeAt, slot } from './memory/bytes'

/** Name of the callback that runs now; empty during start-up, when the host allows no hostcall but `log`. */
// @ts-ignore: decorator
@lazy let callback: string = ''

// @ts-ignore: decorator
@inline const LIMIT: usize = 4096
// Lazy: asc meets the first abort before it has compiled this file.
// @ts-ignore: decorator
@lazy let start: usize = 0
// @ts-ignore: decorator
@lazy let at: usize = 0

/** Notes which callback runs, for the message of a trap. */
// @ts-ignore: decorator
@inline
export function setCallback(name: string): void {
  callback = name
}

/**
 * What AssemblyScript calls when the filter fails (`throw`, an index out of bounds, a null dereference …): logs
 * `PLUGIN: CALLBACK: MESSAGE (FILE:LINE:COLUMN)` at level critical, then traps. The host takes a trap for the end of the VM:
 * it answers 503 until the VM is reloaded, if it ever is.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  // Written without string operations, which a small filter would pay for in size. 16 KiB are cut, not overrun.
  start = allocate(LIMIT)
  if (start) {
    at = start
    if (callback.length) {
      writePluginName()
      write(': ')
      write(callback)
      write(': ')
    }
    write(message ? message : 'aborted')
    if (file) {
      write(' (')
      write(file)
      write(':')
      writeNumber(line)
      write(':')
      writeNumber(column)
      write(')')
    }
    host.log(LogLevel.Critical, start, at - start)
  }
  unreachable()
}

function write(text: string): void {
  const length = min(text.length, <i32>(LIMIT - (at - start)) / 3)
  at = encodeAt(at, text, length)
}

function writeNumber(value: u32): void {
  if (value > 9) writeNumber(value / 10)
  if (at - start < LIMIT) store<u8>(at++, 0x30 + <u8>(value % 10))
}

function writePluginName(): void {
  const path = encode('plugin_name')
  const name = slot()
  const out = changetype<usize>(name)
  if (host.get_property(path.ptr, path.length, out, out + 4) != 0 || name.length > 256) return write('filter')
  memory.copy(at, name.ptr, name.length)
  at += name.length
}
