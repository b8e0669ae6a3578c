/**
 * A host that answers hostcalls with whatever it likes and calls back in any order: statuses, sizes, ids, header lines and properties are random,
 * from a seed. Two rules of the ABI it keeps, since nobody could live without: an address that it tells comes from the filter's allocator,
 * and a call that it has taken ends some time.
 */

import { Random } from '../json/documents.ts'
import { ByteSource } from './bytes.ts'
import { ROOT_CALLBACKS, STREAM_CALLBACKS, TCP_CALLBACKS } from './callbacks.ts'
import { Guest, MAX_MEMORY } from './guest.ts'
import { type CallKind, CALLS, checkPairs, HOSTCALLS, type HostcallName, type Kind } from './hostcalls.ts'

const OK = 0
const BAD_ARGUMENT = 2
const INVALID_MEMORY_ACCESS = 6
const PLUGIN_CONFIGURATION = 7
const CRITICAL = 5
/** Root contexts that are there all the time. */
const ROOTS = [1, 2, 3]
const FIRST_STREAM = 16
const MAX_STREAMS = 48
const MAX_CALLS = 64
/** `REPORT_MEMORY` of the fuzz filter. */
const REPORT_MEMORY = 0x6d656d6f
const SIZES = [MAX_MEMORY, MAX_MEMORY + 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffff8, 0xffffffff]
const IDS = [0, 1, 2, 3, 15, 0x7fffffff, 0x80000000, 0xffffffff]

/** What the fuzz filter asks for what to do. */
const INPUT = Buffer.from('fuzz\0input')

interface Stream {
  id: number
  callbacks: readonly string[]
  /** How many there will be yet. */
  left: number
}

export class HostileHost {
  /** Streams so far, each a request or a connection. */
  requests = 0
  /** Configurations so far. */
  configurations = 0

  readonly guest = new Guest()
  private readonly random: Random
  private readonly bytes: ByteSource
  private streams: Stream[] = []
  /** Ids of contexts that the filter was told of, but not of their end. */
  private readonly known = new Set<number>()
  private readonly pending = new Map<number, CallKind>()
  private nextStream = FIRST_STREAM
  private nextCall = 0
  /** Set while the host takes no new calls, so that all come to an end. */
  private isSettling = false
  private configuration: Uint8Array = new Uint8Array()
  private environment = { count: 0, size: 0 }
  private managed = 0
  private criticalLines: string[] = []

  constructor(module: WebAssembly.Module, seed: number) {
    this.random = new Random(seed)
    this.bytes = new ByteSource(this.random)
    const env: Record<string, (...args: (number | bigint)[]) => number> = {}
    for (const { name, kinds } of HOSTCALLS) env[name] = (...args) => this.answer(name, kinds, args)
    env['environ_get'] = (entries, data) => this.giveEnvironment(Number(entries), Number(data))
    const imports = { env: {} as typeof env, wasi_snapshot_preview1: {} as typeof env }
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const call = env[name]
      if (!call || !(from in imports)) throw new Error(`unknown import ${from}.${name}`)
      imports[from as keyof typeof imports][name] = call
    }
    this.guest.attach(new WebAssembly.Instance(module, imports))
    this.guest.call('_initialize')
    for (const id of ROOTS) {
      this.callback('proxy_on_context_create', id, 0)
      this.callback('proxy_on_vm_start', id, 0)
      this.configure(id, Buffer.from('{}'))
    }
  }

  /** From now on there are no bodies of more than 20 KB: how much memory the filter needs for the largest is known. */
  endWarmUp(): void {
    this.bytes.hasBodies = false
  }

  /** One event. */
  step(): void {
    const { random } = this
    if (this.pending.size > MAX_CALLS) return this.answerCall(this.pending.keys().next().value!)
    const kind = random.below(100)
    if (kind < 14 && this.streams.length < MAX_STREAMS) this.openStream()
    else if (kind < 70 && this.streams.length) this.advance(random.below(this.streams.length))
    else if (kind < 78) this.callStream(random.pick(STREAM_CALLBACKS), this.anyId())
    else if (kind < 82) this.callRoot()
    else if (kind < 83) this.configure(random.pick(ROOTS), this.bytes.configuration())
    else if (kind < 86) this.callStrangely()
    else if (kind < 90) this.answerCall(this.anyId())
    else if (this.pending.size) this.answerCall(random.pick([...this.pending.keys()]))
  }

  tick(root: number): void {
    this.callback('proxy_on_tick', root)
  }

  /** Ends every stream and every call. Answers the bytes that the managed heap then holds, or 0 where the filter does not tell. */
  settle(): number {
    this.isSettling = true
    while (this.pending.size) this.finishCall(this.pending.keys().next().value!)
    for (const id of this.known) this.callback('proxy_on_delete', id)
    while (this.pending.size) this.finishCall(this.pending.keys().next().value!)
    this.known.clear()
    this.streams = []
    this.isSettling = false
    this.managed = 0
    this.callback('proxy_on_foreign_function', ROOTS[0]!, REPORT_MEMORY, 0)
    return this.managed
  }

  /** Hands over a configuration. A refusal must come with a message. */
  configure(root: number, configuration: Uint8Array): void {
    this.configuration = configuration
    this.configurations++
    this.criticalLines = []
    const accepted = this.callback('proxy_on_configure', root, configuration.length)
    const isReadable = !this.lied
    this.lied = false
    if (accepted === 0 && isReadable && !this.criticalLines.some((line) => line.length > 0))
      throw new Error('the filter has refused a configuration without a message')
  }

  /** A hostcall for the configuration was answered with a status or with other bytes. */
  private lied = false

  private callback(name: string, ...args: number[]): number | undefined {
    return this.guest.has(name) ? this.guest.call(name, ...args) : undefined
  }

  private openStream(): void {
    const { random } = this
    const id = this.nextStream++
    const isHttp = random.below(5) > 0
    this.requests++
    this.known.add(id)
    this.streams.push({ id, left: 1 + random.below(9), callbacks: isHttp ? STREAM_CALLBACKS : TCP_CALLBACKS })
    this.callback('proxy_on_context_create', id, random.pick(ROOTS))
  }

  private advance(index: number): void {
    const stream = this.streams[index]!
    if (stream.left-- > 0) return this.callStream(this.random.pick(stream.callbacks), stream.id)
    this.streams.splice(index, 1)
    // Envoy tells of the end only those that export it: the filter must find out by itself, too.
    if (this.random.below(4) === 0) return
    this.known.delete(stream.id)
    this.callback('proxy_on_delete', stream.id)
  }

  private callStream(name: string, id: number): void {
    this.callback(name, id, this.anyNumber(), this.random.below(3))
  }

  private callRoot(): void {
    const { random } = this
    const id = random.below(4) ? random.pick(ROOTS) : this.anyId()
    if (random.below(5) === 0) {
      const name = random.pick(['envoy_on_resolve_dns', 'envoy_on_stats_update'])
      this.callback(name, id, this.anyNumber(), this.anyNumber())
    } else this.callback(random.pick(ROOT_CALLBACKS), id, random.below(1000), this.anyNumber())
  }

  /** Contexts that are there already, have no parent, an unknown one or themselves; ends of what never was. */
  private callStrangely(): void {
    const { random } = this
    const id = this.anyId()
    if (ROOTS.includes(id)) return
    if (random.below(2)) this.callback('proxy_on_delete', id)
    else {
      this.known.add(id)
      this.callback('proxy_on_context_create', id, random.pick([0, id, this.anyId(), ...ROOTS]))
    }
    // Its stream, if it has one, goes on: with callbacks that nobody expects.
  }

  /** Any callback of calls, for this id, whatever it is. */
  private answerCall(id: number): void {
    const { random } = this
    if (this.pending.has(id) && random.below(3)) return this.finishCall(id)
    const root = random.below(4) ? random.pick(ROOTS) : this.anyId()
    const count = random.below(3)
    switch (random.below(6)) {
      case 0:
        return void this.callback('proxy_on_http_call_response', root, id, count, this.anyNumber(), this.anyNumber())
      case 1:
        return void this.callback('proxy_on_grpc_receive_initial_metadata', root, id, count)
      case 2:
        return void this.callback('proxy_on_grpc_receive_trailing_metadata', root, id, count)
      case 3:
        return void this.callback('proxy_on_grpc_close', root, id, this.anyNumber())
      default:
        return void this.callback('proxy_on_grpc_receive', root, id, this.anyNumber())
    }
  }

  /** The callback that ends a call. */
  private finishCall(id: number): void {
    const kind = this.pending.get(id)
    this.pending.delete(id)
    const root = this.random.pick(ROOTS)
    if (kind === 'http') this.callback('proxy_on_http_call_response', root, id, this.random.below(3), 5, 0)
    else this.callback('proxy_on_grpc_close', root, id, this.random.below(17))
  }

  private anyId(): number {
    const { random } = this
    switch (random.below(4)) {
      case 0:
        return random.pick(IDS)
      case 1:
        return random.below(this.nextStream)
      default:
        return this.streams.length ? random.pick(this.streams).id : random.below(2 ** 32)
    }
  }

  private anyNumber(): number {
    const { random } = this
    return random.below(3) ? random.below(100) : random.below(2 ** 32)
  }

  /** Answers any hostcall: checks what comes, chooses a status, and with it mostly sends results. */
  private answer(name: HostcallName, kinds: readonly Kind[], args: readonly (number | bigint)[]): number {
    const numbers: number[] = []
    const texts: Buffer[] = []
    const outs: { kind: Kind; at: number; size: number }[] = []
    let i = 0
    for (const kind of kinds) {
      const at = Number(args[i++])
      if (kind === 'n' || kind === 'l') numbers.push(at)
      else if (kind === 'b' || kind === 'p' || kind === 'm') {
        const bytes = this.guest.read(at, Number(args[i++]))
        if (kind === 'p') checkPairs(bytes)
        texts.push(bytes)
      } else outs.push({ kind, at, size: kind === '*' ? Number(args[i++]) : 0 })
    }
    const status = this.status(name, numbers, texts)
    if (name === 'proxy_log' && numbers[0] === CRITICAL) this.logged(texts[0]!)
    this.guest.note(`  ${name}(${numbers.join(', ')}) = ${status}`)
    if (name === 'proxy_get_property' && texts[0]!.equals(INPUT)) return this.giveInput(outs[0]!)
    if (this.random.below(400) === 0) this.demand()
    // Results with a failure are against the ABI: they must not matter.
    if (status !== OK && this.random.below(4)) return status
    for (const { kind, at, size } of outs) {
      if (kind === '8') this.guest.writeU64(at, this.bytes.noise(8).readBigUInt64LE())
      else if (kind === '4') this.guest.writeU32(at, this.number(name, status))
      else if (!this.guest.give(this.result(name, numbers), at, size)) return INVALID_MEMORY_ACCESS
    }
    return status
  }

  private status(name: HostcallName, [first]: readonly number[], texts: readonly Buffer[]): number {
    const { random } = this
    const isLie = random.below(10) === 0
    if (name === 'proxy_set_effective_context') {
      const isThere = ROOTS.includes(first!) || this.streams.some(({ id }) => id === first)
      if (ROOTS.includes(first!)) return isLie ? random.pick([1, 3, 10]) : OK
      return isLie ? random.pick([OK, 1, BAD_ARGUMENT]) : isThere ? OK : BAD_ARGUMENT
    }
    if (this.isSettling && /_call$|_stream$/.test(name)) return 10
    if (random.below(4)) return OK
    if (name === 'proxy_get_buffer_bytes' && first === PLUGIN_CONFIGURATION) this.lied = true
    return texts.length && isLie ? random.pick([13, 255, 0xffffffff]) : random.below(13)
  }

  /** A number for a result: of a call under way that must end, or anything. */
  private number(name: HostcallName, status: number): number {
    const { random } = this
    if (name === 'environ_sizes_get') {
      const isCount = this.environment.size !== -1
      const value = random.below(8) ? random.below(200) : random.pick([0xffffffff, 0x40000000, 0x3fffffff, 70_000])
      this.environment = isCount ? { count: value, size: -1 } : { ...this.environment, size: value }
      return value
    }
    const kind = CALLS[name]
    if (!kind) return random.below(3) ? random.below(64) : random.below(2 ** 32)
    const id = random.below(12) ? (this.nextCall += 4) : random.pick([...IDS, ...this.pending.keys()])
    if (status === OK) this.pending.set(id, kind)
    return id
  }

  private result(name: HostcallName, [first]: readonly number[]): Uint8Array {
    if (name === 'proxy_get_header_map_pairs') return this.bytes.pairs()
    if (name === 'proxy_get_buffer_bytes') {
      if (first === PLUGIN_CONFIGURATION) return this.configuration
      return this.random.below(2) ? this.bytes.value() : this.bytes.noise()
    }
    return this.bytes.value()
  }

  private giveInput({ at, size }: { at: number; size: number }): number {
    return this.guest.give(this.bytes.noise(this.random.below(48)), at, size) ? OK : INVALID_MEMORY_ACCESS
  }

  /** Asks for room that no filter has. */
  private demand(): void {
    const size = this.random.pick(SIZES)
    if (this.guest.allocate(size)) throw new Error(`the filter claims to have room for ${size} bytes`)
  }

  /** Writes within what the guest has set aside, but not necessarily what belongs there. */
  private giveEnvironment(entries: number, data: number): number {
    const { random } = this
    const { count, size } = this.environment
    this.environment = { count: 0, size: 0 }
    if (count * 4 > 100_000 || size > 100_000 || size < 0) return random.pick([OK, 8, 21])
    const variables = Buffer.from(this.bytes.noise(size))
    const text = Buffer.from('COLOR=red\0PATH=/bin')
    if (random.below(2)) text.copy(variables, 0, 0, size)
    this.guest.write(data, variables)
    for (let i = 0; i < count; i++) {
      const within = data + random.below(size + 1)
      this.guest.writeU32(
        entries + 4 * i,
        random.below(4) ? within : random.pick([0, 4, 0xffffffff, this.guest.memory - 1]),
      )
    }
    return random.below(8) ? OK : 21
  }

  private logged(text: Buffer): void {
    const line = text.toString()
    this.criticalLines.push(line)
    this.guest.note(`  critical: ${line}`)
    const [, managed] = /^managed (\d+)$/.exec(line) ?? []
    if (managed) this.managed = Number(managed)
  }
}
