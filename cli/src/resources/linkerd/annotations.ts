/** `retry.linkerd.io/*` and `timeout.linkerd.io/*` of Services, HTTPRoutes and GRPCRoutes. */
import type { Diagnostics } from '../diagnostics.ts'
import { duration } from '../gateway-api/common.ts'
import { nearest } from '../nearest.ts'
import type { Resource } from '../resource.ts'

export interface RetryAnnotations {
  /** How often a request is repeated. */
  limit: number
  /** Of each try; it is repeated when that is over. */
  timeout?: string
  http: HttpCondition[]
  grpc: string[]
}

export type HttpCondition = '5xx' | 'gateway-error' | { from: number; to: number }

export interface TimeoutAnnotations {
  request?: string
  response?: string
}

export interface LinkerdAnnotations {
  /** Undefined where no annotation speaks of it. */
  retry?: RetryAnnotations
  timeouts?: TimeoutAnnotations
}

const known = [
  'retry.linkerd.io/http',
  'retry.linkerd.io/grpc',
  'retry.linkerd.io/limit',
  'retry.linkerd.io/timeout',
  'timeout.linkerd.io/request',
  'timeout.linkerd.io/response',
  'timeout.linkerd.io/idle',
]
const grpcConditions = ['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable']

/** The keys of a resource that are meant here. */
export const linkerdKeys = ({ metadata }: Resource): string[] =>
  Object.keys(metadata.annotations ?? {}).filter((key) => /^(retry|timeout)\.linkerd\.io\//.test(key))

export function readAnnotations(resource: Resource, diagnostics: Diagnostics): LinkerdAnnotations {
  const reader = new Reader(resource, diagnostics)
  return reader.read()
}

class Reader {
  readonly #keys: string[]

  constructor(
    private readonly resource: Resource,
    private readonly diagnostics: Diagnostics,
  ) {
    this.#keys = linkerdKeys(resource)
  }

  read(): LinkerdAnnotations {
    for (const key of this.#keys.filter((key) => !known.includes(key))) {
      const near = nearest(key, known)
      const hint = near ? `did you mean ${near}?` : `known ones: ${known.join(', ')}`
      this.#report('error', 'MS1101', key, `unknown annotation ${key}`, hint)
    }
    if (this.#text('timeout.linkerd.io/idle') !== undefined) {
      const hint = 'write timeout.linkerd.io/request, or leave it to stream_idle_timeout of Envoy'
      this.#report('error', 'MS1301', 'timeout.linkerd.io/idle', 'no request header tells Envoy an idle timeout', hint)
    }
    const request = this.#duration('timeout.linkerd.io/request')
    const response = this.#duration('timeout.linkerd.io/response')
    const retry = this.#keys.some((key) => key.startsWith('retry.')) ? this.#retry() : undefined
    return {
      ...((request ?? response) !== undefined && {
        timeouts: { ...(request !== undefined && { request }), ...(response !== undefined && { response }) },
      }),
      ...(retry && { retry }),
    }
  }

  #retry(): RetryAnnotations {
    const timeout = this.#duration('retry.linkerd.io/timeout')
    return {
      limit: this.#limit(),
      ...(timeout !== undefined && !/^0/.test(timeout) && { timeout }),
      http: this.#list('http', 'GRPCRoute').flatMap((text) => this.#httpCondition(text) ?? []),
      grpc: this.#list('grpc', 'HTTPRoute').flatMap((text) => this.#grpcCondition(text) ?? []),
    }
  }

  #limit(): number {
    const key = 'retry.linkerd.io/limit'
    const text = this.#text(key) ?? '1'
    if (/^\d+$/.test(text) && Number(text) < 65536) return Number(text) || 1
    this.#report('error', 'MS1106', key, `${JSON.stringify(text)} is not a number from 1 to 65535`, 'write e.g. "2"')
    return 1
  }

  /** The items of a list that Linkerd reads on other kinds only than one. */
  #list(name: 'http' | 'grpc', notOn: string): string[] {
    const key = `retry.linkerd.io/${name}`
    const text = this.#text(key)
    if (text === undefined) return []
    if (this.resource.kind !== notOn) return text.split(',')
    const other = name === 'http' ? 'grpc' : 'http'
    this.#report('warning', 'MS1413', key, `it says nothing on a ${notOn}`, `write retry.linkerd.io/${other}`)
    return []
  }

  #httpCondition(text: string): HttpCondition | undefined {
    const lower = text.toLowerCase()
    if (lower === '5xx' || lower === 'gateway-error') return lower
    const [, from, to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? []
    if (from !== undefined && Number(from) <= Number(to)) return { from: Number(from), to: Number(to) }
    const hint = 'write e.g. 5xx, gateway-error, 503 or 500-504, with commas and no spaces between them'
    this.#report('error', 'MS1106', 'retry.linkerd.io/http', `${JSON.stringify(text)} is no condition`, hint)
    return undefined
  }

  #grpcCondition(text: string): string | undefined {
    const lower = text.toLowerCase()
    if (grpcConditions.includes(lower)) return lower
    const hint = `write ${nearest(lower, grpcConditions) ?? `one of ${grpcConditions.join(', ')}`}`
    this.#report('error', 'MS1104', 'retry.linkerd.io/grpc', `${JSON.stringify(text)} is not allowed here`, hint)
    return undefined
  }

  #duration(key: string): string | undefined {
    const text = this.#text(key)
    const { test, expected, hint } = duration.pattern!
    if (text === undefined || test.test(text)) return text
    this.#report('error', 'MS1106', key, `${JSON.stringify(text)} is not ${expected}`, hint!)
    return undefined
  }

  #text(key: string): string | undefined {
    return this.resource.metadata.annotations?.[key]
  }

  #report(severity: 'error' | 'warning', code: ReportCode, key: string, message: string, hint: string) {
    this.resource.report(this.diagnostics, severity, code, ['metadata', 'annotations', key], message, hint)
  }
}

type ReportCode = 'MS1101' | 'MS1104' | 'MS1106' | 'MS1301' | 'MS1413'
