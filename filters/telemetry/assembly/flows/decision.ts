import { ByteString, filterState, utf8 } from '@meshscript/sdk'
import { Attribute, Attributes } from '../attributes'

/** Envoy's flags of requests that something has gone wrong with: all but DI, RL, UAEX, DC, RFCF and DR. */
const FAILURES: i64 = 0x3eef_a5ff

/** What has become of a request. */
export enum Verdict {
  Forwarded,
  /** A policy has refused it. */
  Dropped,
  /** A policy would have refused it. */
  Audited,
  Failed,
}

/** What became of a request, and which policy has decided so. */
@final
export class Decision {
  verdict: Verdict = Verdict.Forwarded
  /** Whether it was one time too many. */
  isRateLimited: bool = false
  /** The id of the policy's rule, or the name of a rate limit; empty where none has decided. */
  policy: ByteString = ByteString.empty

  constructor(private attributes: Attributes) {
    attributes.expect(Attribute.Code)
    attributes.expect(Attribute.Flags)
    attributes.expect(Attribute.Details)
    attributes.expect(Attribute.AuthorizationVerdict)
    attributes.expect(Attribute.DryRunDeny)
    attributes.expect(Attribute.DryRunAllow)
    attributes.expect(Attribute.RateLimitVerdict)
  }

  /** Reads what is known of the request. */
  read(): void {
    this.policy = ByteString.empty
    this.isRateLimited = false
    const flags = this.attributes.number(Attribute.Flags, 0)
    const details = this.attributes.get(Attribute.Details)
    if (details && this.readDetails(details)) return
    if (this.readAudit()) return
    this.verdict = flags & FAILURES ? Verdict.Failed : Verdict.Forwarded
  }

  /** What Envoy's own filters and ours say of their answers. */
  private readDetails(details: ByteString): bool {
    // Nearly all.
    if (details.equals(utf8('via_upstream'))) return false
    if (details.startsWith(utf8('rbac_access_denied_matched_policy['))) {
      this.policy = policyOf(bracketed(details))
      this.verdict = Verdict.Dropped
    } else if (
      details.equals(utf8('ext_authz_denied')) ||
      details.startsWith(utf8('jwt_authn_access_denied')) ||
      details.equals(utf8('csrf_origin_mismatch'))
    ) {
      this.verdict = Verdict.Dropped
    } else if (details.startsWith(utf8('local_rate_limited')) || details.startsWith(utf8('request_rate_limited'))) {
      this.policy = bracketed(details)
      this.isRateLimited = true
      this.verdict = Verdict.Dropped
    } else if (
      details.equals(utf8('ext_authz_error')) ||
      details.equals(utf8('rate_limiter_error')) ||
      details.equals(utf8('fault_filter_abort'))
    ) {
      // A filter in Wasm cannot set the flags that say so.
      this.verdict = Verdict.Failed
    } else return false
    return true
  }

  /** What policies would have done that are only tried out. */
  private readAudit(): bool {
    const attributes = this.attributes
    const authorization = attributes.get(Attribute.AuthorizationVerdict)
    const isAudited = authorization !== null && authorization.equals(utf8('audited'))
    if (isAudited) return this.audit(policyOf(filterState.get('authorization.policy')))
    const limit = attributes.get(Attribute.RateLimitVerdict)
    if (limit && limit.equals(utf8('audited'))) {
      this.isRateLimited = true
      return this.audit(nameOf(filterState.get('ratelimit.rule')))
    }
    const denied = attributes.get(Attribute.DryRunDeny)
    if (denied && !denied.equals(utf8('none'))) return this.audit(denied)
    const allowed = attributes.get(Attribute.DryRunAllow)
    if (allowed && allowed.equals(utf8('none'))) return this.audit(ByteString.empty)
    if (authorization && authorization.equals(utf8('allowed')))
      this.policy = policyOf(filterState.get('authorization.policy'))
    return false
  }

  private audit(policy: ByteString): bool {
    this.policy = policy
    this.verdict = Verdict.Audited
    return true
  }
}

function policyOf(id: ByteString | null): ByteString {
  return id && !id.equals(utf8('none')) ? id : ByteString.empty
}

function nameOf(rule: ByteString | null): ByteString {
  return rule ? rule : ByteString.empty
}

/** What is between the first bracket and the last; empty where there are none. */
function bracketed(details: ByteString): ByteString {
  const from = details.indexOfByte(0x5b)
  return from < 0 ? ByteString.empty : details.slice(from + 1, details.lastIndexOfByte(0x5d))
}
