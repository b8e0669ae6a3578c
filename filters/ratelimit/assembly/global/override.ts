import { JsonValue, REQUIRED } from '@meshscript/sdk'
import { readDuration } from '../../../common/assembly/duration'

/** The limit that a rule brings along, in the place of what the service is configured to. */
@final
export class LimitOverride {
  constructor(
    readonly requests: u32,
    /** envoy.type.v3.RateLimitUnit */
    readonly unit: u32,
  ) {}
}

/** Reads the `limit` of a rule that the service counts; null where there is none. The service knows whole seconds, minutes, hours and days only. */
export function readOverride(json: JsonValue): LimitOverride | null {
  if (!json.exists) return null
  json.object()
  const requests = <u32>json.get('requests').integer(REQUIRED, 1, 4_000_000_000)
  const per = json.get('per')
  const unit = unitOf(readDuration(per))
  if (!unit) per.fail('expected 1s, 1m, 1h or 24h: the service counts by these')
  for (let i = 0; i < 2; i++) {
    const other = json.get(i ? 'algorithm' : 'burst')
    if (other.exists) other.fail('the service decides how a global limit counts: leave it out')
  }
  return new LimitOverride(requests, unit)
}

function unitOf(milliseconds: f64): u32 {
  if (milliseconds == 1000) return 1
  if (milliseconds == 60_000) return 2
  if (milliseconds == 3_600_000) return 3
  return milliseconds == 86_400_000 ? 4 : 0
}

/** Milliseconds of a unit of envoy.service.ratelimit.v3.RateLimitResponse.RateLimit; 0 for one that is not known. */
export function millisecondsOf(unit: u64): f64 {
  if (unit == 1) return 1000
  if (unit == 2) return 60_000
  if (unit == 3) return 3_600_000
  if (unit == 4) return 86_400_000
  // As the field's own server counts months and years.
  if (unit == 5) return 30 * 86_400_000
  if (unit == 6) return 365 * 86_400_000
  return unit == 7 ? 7 * 86_400_000 : 0
}
