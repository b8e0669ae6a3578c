/** Timeouts and retries of a rule of an HTTPRoute, and of Linkerd's annotations. */
import type { HttpRouteRule } from '../../resources/gateway-api/http-route.ts'
import type { LinkerdAnnotations, RetryAnnotations } from '../../resources/linkerd/annotations.ts'
import { parseDuration } from '../../resources/targets.ts'
import type { RetriesConfig, RouteConfig } from './model.ts'

type Resilience = Pick<RouteConfig, 'timeout' | 'retries'>

/** Whatever else it is retried for, a request that has not come to the upstream is. */
const NOT_SENT = 'connect-failure,refused-stream'
/** Of a rule that does not say how often. */
const ATTEMPTS = 2

/** Annotations come before the fields. */
export function resilienceOf(rule: HttpRouteRule, annotations: LinkerdAnnotations): Resilience {
  const { timeouts = {}, retry } = rule
  const own = annotations.timeouts ?? {}
  const request = shorter(own.request ?? timeouts.request, own.response)
  if (annotations.retry) return { ...timeoutConfig(request), retries: retriesConfig(annotations.retry) }
  const { backendRequest } = timeouts
  // Without retries there is one request to a backend.
  if (!retry) return timeoutConfig(shorter(request, backendRequest))
  const { codes = [], attempts = ATTEMPTS } = retry
  const retries: RetriesConfig = {
    attempts,
    on: codes.length ? `${NOT_SENT},reset,retriable-status-codes` : `${NOT_SENT},reset`,
    ...(codes.length && { statusCodes: codes }),
    ...(backendRequest !== undefined && !isUnlimited(backendRequest) && { perTryTimeout: backendRequest }),
  }
  return { ...timeoutConfig(request), retries }
}

/** `response` bounds a part of what `request` does, so that the shorter one counts. */
export function annotationsConfig({ timeouts = {}, retry }: LinkerdAnnotations): Resilience {
  return {
    ...timeoutConfig(shorter(timeouts.request, timeouts.response)),
    ...(retry && { retries: retriesConfig(retry) }),
  }
}

const timeoutConfig = (timeout: string | undefined): Resilience => (timeout === undefined ? {} : { timeout })

function shorter(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other
  if (isUnlimited(one) || isUnlimited(other)) return isUnlimited(one) ? other : one
  return parseDuration(one)! <= parseDuration(other)! ? one : other
}

/** Zero is no limit. */
const isUnlimited = (duration: string) => parseDuration(duration) === 0

export function retriesConfig({ limit, timeout, http, grpc }: RetryAnnotations): RetriesConfig {
  const named = http.filter((condition) => typeof condition === 'string')
  const codes = http.flatMap((condition) => {
    if (typeof condition === 'string') return []
    return Array.from({ length: condition.to - condition.from + 1 }, (_, index) => condition.from + index)
  })
  const statusCodes = [...new Set(codes)]
  const on = [NOT_SENT, timeout && 'reset', ...named, statusCodes.length && 'retriable-status-codes', ...grpc]
  return {
    attempts: limit,
    on: on.filter(Boolean).join(','),
    ...(statusCodes.length && { statusCodes }),
    ...(timeout !== undefined && { perTryTimeout: timeout }),
  }
}

/** How often the requests of a retryable route of a ServiceProfile are repeated: Linkerd bounds them by a budget alone. */
const PROFILE_RETRIES = 1

/** `failures`: which responses are asked for again, where the profile says so. */
export function profileRetries(failures: readonly number[] | undefined): RetriesConfig {
  if (!failures) return { attempts: PROFILE_RETRIES, on: `${NOT_SENT},5xx` }
  return {
    attempts: PROFILE_RETRIES,
    on: failures.length ? `${NOT_SENT},retriable-status-codes` : NOT_SENT,
    ...(failures.length && { statusCodes: [...failures] }),
  }
}
