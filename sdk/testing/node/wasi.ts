/** WASI preview 1, as far as a proxy has it: logs, clocks, random bytes and the environment; no files. */
import { randomFillSync } from 'node:crypto'
import type { Signature } from './abi.ts'
import type { Vm } from './vm.ts'

export interface WasiFunction {
  signature: Signature
  call: (vm: Vm, ...args: never[]) => number | undefined
}

const Errno = { Success: 0, Badf: 8, Fault: 21, Inval: 28, Noent: 44, Nosys: 52, Notdir: 20, Notsup: 58 } as const

/** Most that one call gives. */
const RANDOM_MAX = 64 * 1024

/** `i` for i32, `I` for i64. */
function wasi(params: string, call: WasiFunction['call'], results = 'i32'): WasiFunction {
  const types = [...params].map((letter) => (letter === 'I' ? 'i64' : 'i32'))
  return { signature: { params: types.join(' '), results }, call }
}

const answer = (params: string, errno: number) => wasi(params, () => errno)
/** For files that are open: standard output and error. */
const output = (params: string, errno: number = Errno.Success) =>
  wasi(params, (_vm, fd: number) => (isOutput(fd) ? errno : Errno.Badf))
const isOutput = (fd: number) => fd === 1 || fd === 2
/** As written, or a fault. */
const written = (done: boolean) => (done ? Errno.Success : Errno.Fault)

function write(vm: Vm, fd: number, vectors: number, count: number, out: number): number {
  if (!isOutput(fd)) return Errno.Badf
  const parts: Buffer[] = []
  for (let i = 0; i < count >>> 0; i++) {
    const pointer = vm.memory.u32((vectors >>> 0) + 8 * i)
    const size = vm.memory.u32((vectors >>> 0) + 8 * i + 4)
    if (pointer === undefined || size === undefined) return Errno.Fault
    const part = vm.memory.bytes(pointer, size)
    if (!part) return Errno.Fault
    parts.push(part)
  }
  const all = Buffer.concat(parts)
  if (all.length > 0) {
    const message = all.toString('utf8')
    vm.context.log(fd === 1 ? 2 : 4, message.endsWith('\n') ? message.slice(0, -1) : message)
  }
  return written(vm.memory.setU32(out >>> 0, all.length))
}

function environment(vm: Vm): Buffer[] {
  return Object.entries(vm.options.environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`))
}

function environGet(vm: Vm, list: number, buffer: number): number {
  let at = buffer >>> 0
  for (const [index, entry] of environment(vm).entries()) {
    if (!vm.memory.setU32((list >>> 0) + 4 * index, at) || !vm.memory.write(at, entry)) return Errno.Fault
    at += entry.length
  }
  return Errno.Success
}

function environSizes(vm: Vm, count: number, size: number): number {
  const entries = environment(vm)
  const total = entries.reduce((sum, entry) => sum + entry.length, 0)
  return written(vm.memory.setU32(count >>> 0, entries.length) && vm.memory.setU32(size >>> 0, total))
}

function clock(vm: Vm, id: number, _precision: bigint, out: number): number {
  if (id !== 0 && id !== 1) return Errno.Notsup
  const { clock } = vm.context.host
  return written(vm.memory.setU64(out >>> 0, id === 0 ? clock.nanoseconds : clock.monotonic))
}

function random(vm: Vm, pointer: number, size: number): number {
  if (size >>> 0 > RANDOM_MAX) return Errno.Inval
  return written(vm.memory.write(pointer >>> 0, randomFillSync(Buffer.alloc(size >>> 0))))
}

function fdstat(vm: Vm, fd: number, out: number): number {
  if (!isOutput(fd)) return Errno.Badf
  const stat = Buffer.alloc(24)
  // Right to write.
  stat.writeUInt32LE(64, 8)
  return written(vm.memory.write(out >>> 0, stat))
}

/** Writes zero to an out pointer, then answers an error. */
const zero = (params: string, index: number, errno: number) =>
  wasi(params, (vm, ...args: number[]) => (vm.memory.setU32(args[index]! >>> 0, 0) ? errno : Errno.Fault))

export const WASI: Record<string, WasiFunction> = {
  args_get: answer('ii', Errno.Success),
  args_sizes_get: wasi('ii', (vm, count: number, size: number) =>
    written(vm.memory.setU32(count >>> 0, 0) && vm.memory.setU32(size >>> 0, 0)),
  ),
  environ_get: wasi('ii', environGet),
  environ_sizes_get: wasi('ii', environSizes),
  clock_time_get: wasi('iIi', clock),
  clock_res_get: wasi('ii', (vm, id: number, out: number) =>
    id === 0 || id === 1 ? written(vm.memory.setU64(out >>> 0, 1n)) : Errno.Notsup,
  ),
  random_get: wasi('ii', random),
  sched_yield: answer('', Errno.Success),
  poll_oneoff: zero('iiii', 3, Errno.Success),
  // Only said in the log: the guest goes on.
  proc_exit: wasi('i', () => undefined, ''),
  fd_write: wasi('iiii', write),
  fd_pwrite: wasi('iiiIi', (vm, fd: number, vectors: number, count: number, _at: bigint, out: number) =>
    write(vm, fd, vectors, count, out),
  ),
  fd_read: answer('iiii', Errno.Nosys),
  fd_pread: answer('iiiIi', Errno.Nosys),
  fd_seek: answer('iIii', Errno.Success),
  fd_tell: output('ii'),
  fd_close: answer('i', Errno.Success),
  fd_fdstat_get: wasi('ii', fdstat),
  fd_fdstat_set_flags: answer('ii', Errno.Nosys),
  fd_fdstat_set_rights: output('iII'),
  fd_filestat_get: answer('ii', Errno.Badf),
  fd_filestat_set_size: output('iI'),
  fd_filestat_set_times: output('iIIi'),
  fd_prestat_get: answer('ii', Errno.Badf),
  fd_prestat_dir_name: answer('iii', Errno.Nosys),
  fd_advise: answer('iIIi', Errno.Success),
  fd_allocate: output('iII'),
  fd_datasync: output('i'),
  fd_sync: output('i'),
  fd_readdir: zero('iiiIi', 4, Errno.Notdir),
  fd_renumber: output('ii', Errno.Notsup),
  path_open: answer('iiiiiIIii', Errno.Noent),
  path_filestat_get: answer('iiiii', Errno.Notsup),
  path_filestat_set_times: answer('iiiiIIi', Errno.Notsup),
  path_create_directory: answer('iii', Errno.Notsup),
  path_link: answer('iiiiii', Errno.Notsup),
  path_readlink: zero('iiiiii', 5, Errno.Notsup),
  path_remove_directory: answer('iii', Errno.Notsup),
  path_rename: answer('iiiiii', Errno.Notsup),
  path_symlink: answer('iiii', Errno.Notsup),
  path_unlink_file: answer('iii', Errno.Notsup),
  sock_accept: zero('iii', 2, Errno.Notsup),
  sock_recv: zero('iiiiii', 4, Errno.Notsup),
  sock_send: zero('iiiii', 4, Errno.Notsup),
  sock_shutdown: answer('ii', Errno.Notsup),
}
