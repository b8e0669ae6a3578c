/** Lines of files, logs and requests that hold flow records. */

import { type Flow, isObject, readFlow } from './flow.ts'
import { parseTimestamp, type Timestamp } from './time.ts'

/** A flow with the node that reported it, as a line of `hubble observe -o jsonpb` is. */
export interface FlowRecord {
  flow: Flow
  /** When it was seen. */
  time?: Timestamp
  node: string
  /** As it is printed as JSON. */
  json: Record<string, unknown>
}

/** Why a line is no flow record. */
export class BadLine extends Error {
  override name = 'BadLine'
}

/** The longest line that is read. */
export const MAX_LINE = 1 << 20

/** Deeper than any flow; what is printed as JSON again must not exhaust the stack. */
const MAX_DEPTH = 64

/** What the telemetry filter writes before a record in the proxy's log. */
const MARK = 'flow {'

/** Members that tell a flow from other objects. */
const MEMBERS = ['verdict', 'IP', 'l4', 'l7', 'event_type', 'eventType']

/** Other lines that Hubble writes between flows. */
const OTHERS = ['node_status', 'nodeStatus', 'lost_events', 'lostEvents', 'agent_event', 'debug_event']

/** The record in a line; undefined where there is none, such as in other lines of a log. Throws a BadLine. */
export function readRecord(line: string): FlowRecord | undefined {
  const text = line.trim()
  if (text === '') return undefined
  if (text.startsWith('{')) return toRecord(parse(text, 0), 0)
  const mark = text.indexOf(MARK)
  return mark < 0 ? undefined : toRecord(parse(text, mark + MARK.length - 1), 1)
}

function parse(text: string, start: number): Record<string, unknown> {
  // Logs may say more behind the record.
  const end = endOfObject(text, start)
  if (start === 0 && end !== text.length) throw new BadLine('there is more than one JSON object in the line')
  try {
    return JSON.parse(text.slice(start, end)) as Record<string, unknown>
  } catch (error) {
    throw new BadLine(`not valid JSON: ${(error as Error).message}`)
  }
}

/** The place behind the object that begins at `start`. */
function endOfObject(text: string, start: number): number {
  const mark = /["{}[\]]/g
  mark.lastIndex = start
  let depth = 0
  for (let match = mark.exec(text); match; match = mark.exec(text)) {
    const character = match[0]
    if (character === '"') mark.lastIndex = endOfText(text, match.index)
    else if (character === '{' || character === '[') {
      if (++depth > MAX_DEPTH) throw new BadLine(`nested deeper than ${MAX_DEPTH} levels`)
    } else if (--depth === 0) return match.index + 1
  }
  throw new BadLine('not valid JSON: the object has no end')
}

function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes++
    if (escapes % 2 === 0) return end + 1
  }
  return text.length
}

/** `depth` is how many lines of logs it was in. */
function toRecord(json: Record<string, unknown>, depth: number): FlowRecord | undefined {
  const { flow, msg, message } = json
  if (isObject(flow)) return wrapped(json, flow)
  if (flow !== undefined && flow !== null) throw new BadLine('flow: expected an object')
  if (MEMBERS.some((name) => name in json)) return bare(json)
  if (OTHERS.some((name) => name in json)) return undefined
  // A log whose lines are JSON has the filter's line as a text.
  const text = typeof msg === 'string' ? msg : message
  if (typeof text === 'string' && depth === 0) return text.includes(MARK) ? inMessage(text) : undefined
  throw new BadLine('no flow record: it has neither `flow` nor the members of a flow')
}

const inMessage = (text: string) => toRecord(parse(text, text.indexOf(MARK) + MARK.length - 1), 1)

function wrapped(json: Record<string, unknown>, values: Record<string, unknown>): FlowRecord {
  const flow = read(values, 'flow')
  const node = json['node_name'] ?? json['nodeName'] ?? flow.node
  if (typeof node !== 'string') throw new BadLine('node_name: expected a text')
  const time = json['time'] ?? undefined
  return { flow, node, json, time: time === undefined ? flow.time : momentOf(time) }
}

function momentOf(value: unknown): Timestamp {
  const time = typeof value === 'string' ? parseTimestamp(value) : undefined
  if (time === undefined) throw new BadLine('time: expected a time like 2006-01-02T15:04:05.999Z')
  return time
}

function bare(json: Record<string, unknown>): FlowRecord {
  const flow = read(json, 'flow')
  const { node_name, time } = json
  return {
    flow,
    node: flow.node,
    time: flow.time,
    json: { flow: json, ...(flow.node && { node_name }), ...(flow.time !== undefined && { time }) },
  }
}

function read(values: Record<string, unknown>, path: string): Flow {
  try {
    return readFlow(values, path)
  } catch (error) {
    throw error instanceof TypeError ? new BadLine(error.message) : error
  }
}
