/** Prints flows in the forms of `hubble observe`, to the letter. */

import { posix } from 'node:path'
import type { Endpoint, Flow, Policy } from './flow.ts'
import { dropText, EventType, policyMatches, reservedIdentities, tracePoints } from './names.ts'
import type { FlowRecord } from './record.ts'
import { Table } from './table.ts'
import { escapeText, jsonLine } from './text.ts'
import { formatTime, type TimeFormat } from './time.ts'

/** `json` is another name of `jsonpb`. */
export const FORMS = ['compact', 'dict', 'json', 'jsonpb', 'table'] as const
export type Form = (typeof FORMS)[number]

/** How flows are printed. */
export interface PrinterOptions {
  form: Form
  colors: boolean
  nodeNames: boolean
  policyNames: boolean
  /** Addresses, where otherwise names are. */
  numeric: boolean
  timeFormat: TimeFormat
}

const COLORS = { red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 } as const
type Color = keyof typeof COLORS

interface Look {
  color: 'green' | 'red' | 'yellow'
  /** What a verdict of a policy is called. */
  ofPolicy?: string
}

const VERDICTS: ReadonlyMap<string, Look> = new Map<string, Look>([
  ['FORWARDED', { color: 'green', ofPolicy: 'ALLOWED' }],
  ['REDIRECTED', { color: 'green', ofPolicy: 'ALLOWED' }],
  ['DROPPED', { color: 'red', ofPolicy: 'DENIED' }],
  ['ERROR', { color: 'red', ofPolicy: 'DENIED' }],
  ['AUDIT', { color: 'yellow', ofPolicy: 'AUDITED' }],
  ['TRACED', { color: 'yellow' }],
  ['TRANSLATED', { color: 'yellow' }],
])

interface Ends {
  source: string
  destination: string
}

/** Prints flows one by one; a table waits for `close`, since its columns are as wide as their widest cell. */
export class Printer {
  readonly #options: PrinterOptions
  readonly #write: (text: string) => void
  readonly #table: Table
  #isFirst = true

  constructor(options: PrinterOptions, write: (text: string) => void) {
    // Colours would count as width.
    this.#options = { ...options, colors: options.colors && options.form !== 'table' }
    this.#write = write
    const node = options.nodeNames ? ['NODE'] : []
    this.#table = new Table(['TIMESTAMP', ...node, 'SOURCE', 'DESTINATION', 'TYPE', 'VERDICT', 'SUMMARY'])
  }

  /** Prints a flow. */
  print(record: FlowRecord): void {
    const { form } = this.#options
    if (form === 'json' || form === 'jsonpb') this.#write(jsonLine(record.json))
    else if (form === 'compact') this.#write(this.#compact(record))
    else if (form === 'dict') this.#write(this.#dictionary(record))
    else this.#table.add(this.#cells(record).map(([, value]) => value))
    this.#isFirst = false
  }

  /** Prints what waits. */
  close(): void {
    if (!this.#table.isEmpty) this.#write(this.#table.render())
  }

  #compact(record: FlowRecord): string {
    const { flow } = record
    const names = this.#hosts(flow)
    let ends = { from: this.#end(names.source, flow.source), to: this.#end(names.destination, flow.destination) }
    // The client stays on the left.
    if (flow.isReply) ends = { from: ends.to, to: ends.from }
    const arrow = flow.isReply === undefined ? '<>' : flow.isReply ? '<-' : '->'
    const node = this.#options.nodeNames ? ` [${nodeOf(record)}]` : ''
    const what = `${typeOf(flow)} ${this.#verdict(flow)} (${this.#summary(flow)})`
    return `${this.#time(record)}${node}: ${ends.from} ${arrow} ${ends.to} ${what}\n`
  }

  #end(host: string, endpoint: Endpoint | undefined): string {
    const identity = endpoint?.identity ?? 0
    return `${host} ${this.#color('magenta', `(${reservedIdentities[identity] ?? `ID:${identity}`})`)}`
  }

  #dictionary(record: FlowRecord): string {
    const lines = this.#cells(record).map(([name, value]) => `${name.padStart(11)}: ${value}\n`)
    return `${this.#isFirst ? '' : '------------\n'}${lines.join('')}`
  }

  #cells(record: FlowRecord): [name: string, value: string][] {
    const { flow } = record
    const { source, destination } = this.#hosts(flow)
    return [
      ['TIMESTAMP', this.#time(record)],
      ...(this.#options.nodeNames ? [['NODE', nodeOf(record)] satisfies [string, string]] : []),
      ['SOURCE', source],
      ['DESTINATION', destination],
      ['TYPE', typeOf(flow)],
      ['VERDICT', this.#verdict(flow)],
      ['SUMMARY', this.#summary(flow)],
    ]
  }

  #time({ flow, time }: FlowRecord): string {
    return formatTime(flow.time ?? time, this.#options.timeFormat)
  }

  #hosts(flow: Flow): Ends {
    const { ip, ethernet, l4 } = flow
    const colored = ({ source, destination }: Ends): Ends => ({
      source: this.#color('cyan', source),
      destination: this.#color('cyan', destination),
    })
    if (!ip) {
      if (!ethernet) return { source: '', destination: '' }
      return colored({ source: escapeText(ethernet.source), destination: escapeText(ethernet.destination) })
    }
    return colored({
      source: this.#host(ip.source, l4?.source, flow.source, flow.sourceService, flow.sourceNames),
      destination: this.#host(
        ip.destination,
        l4?.destination,
        flow.destination,
        flow.destinationService,
        flow.destinationNames,
      ),
    })
  }

  #host(ip: string, port = 0, pod: Endpoint | undefined, service: Flow['sourceService'], names: string[]): string {
    let host = ip
    if (!this.#options.numeric) {
      const namespace = service?.namespace ?? pod?.namespace ?? ''
      if (pod?.pod) host = joinPath(namespace, pod.pod)
      else if (service?.name) host = joinPath(namespace, service.name)
      else if (names.length) host = names.join(',')
    }
    host = escapeText(host)
    if (!port) return host
    return `${/[:%]/.test(host) ? `[${host}]` : host}:${this.#color('yellow', String(port))}`
  }

  #verdict(flow: Flow): string {
    const { verdict, event } = flow
    const known = VERDICTS.get(verdict)
    if (!known) return escapeText(verdict)
    const word = event?.type === EventType.policyVerdict ? (known.ofPolicy ?? verdict) : verdict
    return this.#color(known.color, word + (this.#options.policyNames ? policiesOf(flow, known.color) : ''))
  }

  #summary(flow: Flow): string {
    const trace = flow.ipTraceId > 0n ? `IP Trace ID: ${flow.ipTraceId}; ` : ''
    const text = trace + escapeText(flow.summary || summaryOf(flow))
    if (flow.authentication === 'DISABLED') return text
    const color = flow.authentication === 'TEST_ALWAYS_FAIL' ? 'red' : 'green'
    return `${text}; Auth: ${this.#color(color, escapeText(flow.authentication))}`
  }

  #color(color: Color, text: string): string {
    return this.#options.colors ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text
  }
}

const nodeOf = ({ flow, node }: FlowRecord) => escapeText(flow.node || node)

const joinPath = (namespace: string, name: string) => (namespace ? posix.join(namespace, name) : posix.normalize(name))

/** Hubble names them in allowing and denying verdicts of policies only; requests have them where a filter has decided. */
function policiesOf({ direction, verdict, event, allowedBy, deniedBy }: Flow, color: Look['color']): string {
  if (direction !== 'INGRESS' && direction !== 'EGRESS') return ''
  if (verdict === 'AUDIT' && event?.type === EventType.policyVerdict) return ''
  const by: readonly Policy[] = (color === 'green' ? allowedBy : deniedBy)[direction]
  const named = by.filter(({ kind, name }) => kind && name)
  return named.length ? ` BY ${named.map(({ kind, name }) => escapeText(`${name} (${kind})`)).join(', ')}` : ''
}

function typeOf({ l7, event, policyMatch, direction, capturePoint, socketPoint }: Flow): string {
  if (l7) {
    const protocol = l7.http ? 'http' : l7.dns ? 'dns' : l7.kafka ? 'kafka' : 'l7'
    return `${protocol}-${l7.type.toLowerCase()}${l7.dns ? ` ${escapeText(l7.dns.source)}` : ''}`
  }
  switch (event?.type) {
    case EventType.trace:
      return tracePoints[event.subtype] ?? String(event.subtype)
    case EventType.drop:
      return dropText(event.subtype)
    case EventType.policyVerdict:
      return `policy-verdict:${policyMatches[policyMatch] ?? 'unknown'} ${direction}`
    case EventType.capture:
      return capturePoint
    case EventType.traceSock: {
      const [, order, way] = /^SOCK_XLATE_POINT_(PRE|POST)_DIRECTION_(FWD|REV)$/.exec(socketPoint) ?? []
      return way ? `${order}-xlate-${way}`.toLowerCase() : socketPoint
    }
    default:
      return 'UNKNOWN'
  }
}

/** Hubble fills it; a writer that does not has at least the request. */
function summaryOf({ l7 }: Flow): string {
  if (!l7?.http) return ''
  const { protocol, method, url, code } = l7.http
  if (l7.type === 'REQUEST') return `${protocol} ${method} ${url}`
  return l7.type === 'RESPONSE' ? `${protocol} ${code} ${l7.latency / 1_000_000n}ms (${method} ${url})` : ''
}
