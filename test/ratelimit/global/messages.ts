/** envoy.service.ratelimit.v3, as much as the tests need of it. */
import { encodeMessage, fieldBytes, fieldNumber, parseMessage } from '@meshscript/sdk/testing/node/protobuf'

/** What a RateLimitRequest asks. */
export interface Asked {
  domain: string
  descriptors: {
    entries: Record<string, string>
    limit?: { requests: number; unit: number }
    cost?: number
  }[]
}

/** One DescriptorStatus. */
export interface Status {
  /** 1 OK, 2 OVER_LIMIT */
  code: number
  limit?: { requests: number; unit: number }
  remaining?: number
  /** Milliseconds. */
  reset?: number
}

/** A RateLimitResponse. */
export interface Answer {
  code: number
  statuses?: Status[]
  responseHeaders?: Record<string, string>
  requestHeaders?: Record<string, string>
  body?: string
}

type Fields = (readonly [number, string | Uint8Array | number | boolean])[]

const pairs = (number: number, headers: Record<string, string> = {}): Fields =>
  Object.entries(headers).map(([key, value]) => [number, encodeMessage([[1, key], [2, value]])] as const) // prettier-ignore

function encodeStatus({ code, limit, remaining, reset }: Status): Uint8Array {
  const fields: Fields = [[1, code]]
  if (limit) fields.push([2, encodeMessage([[1, limit.requests], [2, limit.unit]])]) // prettier-ignore
  if (remaining) fields.push([3, remaining])
  if (reset) fields.push([4, encodeMessage([[1, Math.floor(reset / 1000)], [2, (reset % 1000) * 1e6]])]) // prettier-ignore
  return encodeMessage(fields)
}

export function encodeAnswer(answer: Answer): Uint8Array {
  return encodeMessage([
    [1, answer.code],
    ...(answer.statuses ?? []).map((status) => [2, encodeStatus(status)] as const),
    ...pairs(3, answer.responseHeaders),
    ...pairs(4, answer.requestHeaders),
    ...(answer.body ? [[5, answer.body] as const] : []),
  ])
}

const parsed = (bytes: Uint8Array) => {
  const fields = parseMessage(Buffer.from(bytes))
  if (!fields) throw new Error('not a message')
  return fields
}
const parts = (bytes: Uint8Array, number: number) =>
  parsed(bytes)
    .filter((field) => field.number === number)
    .map(({ value }) => value as Buffer)

export function readAsked(bytes: Uint8Array): Asked {
  return {
    domain: fieldBytes(parsed(bytes), 1).toString(),
    descriptors: parts(bytes, 2).map((descriptor) => {
      const entries = parts(descriptor, 1).map((entry) => {
        const fields = parsed(entry)
        return [fieldBytes(fields, 1).toString(), fieldBytes(fields, 2).toString()] as const
      })
      const [limit] = parts(descriptor, 2).map(parsed)
      const [cost] = parts(descriptor, 3).map(parsed)
      return {
        entries: Object.fromEntries(entries),
        ...(limit && { limit: { requests: fieldNumber(limit, 1), unit: fieldNumber(limit, 2) } }),
        ...(cost && { cost: fieldNumber(cost, 1) }),
      }
    }),
  }
}
