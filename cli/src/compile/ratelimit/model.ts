/** As much of the rate limit filter's configuration (filters/ratelimit/schema.json) as is compiled. */
import type { Matcher } from '../authorization-config.ts'

export interface RateLimitConfig {
  version: 1
  rules: RateLimitRuleConfig[]
}

export interface RateLimitRuleConfig {
  name: string
  match?: { principal: Matcher }[]
  group?: string
  descriptors?: { principal: true }[]
  limit: { requests: number; per: '1s' }
}
