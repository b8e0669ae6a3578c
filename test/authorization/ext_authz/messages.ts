/** envoy.service.auth.v3, as much as the tests need of it. */
import { encodeMessage, fieldBytes, fieldNumber, parseMessage } from '@meshscript/sdk/testing/node/protobuf'

export interface HeaderOption {
  key: string
  value: string
  rawValue?: string
  /** Deprecated, but what most services send. */
  append?: boolean
  /** 0 further line, 1 if absent, 2 overwrite, 3 overwrite if there. */
  action?: number
}

export interface Ok {
  headers?: HeaderOption[]
  remove?: string[]
  responseHeaders?: HeaderOption[]
  setParameters?: [string, string][]
  removeParameters?: string[]
}

type Fields = (readonly [number, string | Uint8Array | number | boolean])[]

/** A field that is there though empty. */
const message = (number: number, body: Uint8Array) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(body.length)]), body])
const varint = (value: number): number[] => (value > 127 ? [(value & 127) | 128, ...varint(value >> 7)] : [value])

const option = ({ key, value, rawValue, append, action }: HeaderOption) =>
  Buffer.concat([
    encodeMessage([[1, encodeMessage([[1, key], [2, value], ...(rawValue ? [[3, rawValue] as const] : [])])]]),
    ...(append === undefined ? [] : [message(2, encodeMessage([[1, append]]))]),
    ...(action === undefined ? [] : [encodeMessage([[3, action]])]),
  ])

const status = (code: number) => message(1, encodeMessage([[1, code]]))

export function allowed(ok: Ok = {}): Uint8Array {
  const { headers = [], remove = [], responseHeaders = [], setParameters = [], removeParameters = [] } = ok
  const fields: Fields = [
    ...headers.map((each) => [2, option(each)] as const),
    ...remove.map((each) => [5, each] as const),
    ...responseHeaders.map((each) => [6, option(each)] as const),
    ...setParameters.map(([name, value]) => [7, encodeMessage([[1, name], [2, value]])] as const), // prettier-ignore
    ...removeParameters.map((each) => [8, each] as const),
  ]
  return Buffer.concat([status(0), message(3, encodeMessage(fields))])
}

export function denied(http: { status?: number; headers?: HeaderOption[]; body?: string } = {}, code = 7): Uint8Array {
  const fields: Fields = [
    [1, encodeMessage([[1, http.status ?? 0]])],
    ...(http.headers ?? []).map((each) => [2, option(each)] as const),
    [3, http.body ?? ''],
  ]
  return Buffer.concat([status(code), message(2, encodeMessage(fields))])
}

const at = (bytes: Buffer, ...path: number[]) =>
  path.reduce((inner, number) => fieldBytes(parseMessage(inner) ?? [], number), bytes)
const text = (bytes: Buffer, ...path: number[]) => at(bytes, ...path).toString()
const number = (bytes: Buffer, field: number) => fieldNumber(parseMessage(bytes) ?? [], field)

/** What a CheckRequest asks about. */
export function readCheck(bytes: Uint8Array) {
  const attributes = at(Buffer.from(bytes), 1)
  const http = at(attributes, 4, 2)
  const peer = (bytes: Buffer) => ({
    address: text(bytes, 1, 1, 2),
    port: number(at(bytes, 1, 1), 3),
    service: text(bytes, 2),
    principal: text(bytes, 4),
  })
  const headers = (parseMessage(http) ?? [])
    .filter((field) => field.number === 3)
    .map(({ value }) => [text(value as Buffer, 1), text(value as Buffer, 2)])
  return {
    source: peer(at(attributes, 1)),
    destination: peer(at(attributes, 2)),
    seconds: number(at(attributes, 4, 1), 1),
    id: text(http, 1),
    method: text(http, 2),
    headers: Object.fromEntries(headers.sort()) as Record<string, string>,
    path: text(http, 4),
    host: text(http, 5),
    scheme: text(http, 6),
    size: number(http, 9),
    protocol: text(http, 10),
    body: text(http, 11),
    rawBody: text(http, 12),
  }
}
