import {
  Action,
  ByteString,
  Configuration,
  GrpcStatus,
  HttpContext,
  property,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { PolicySet, readPolicies, Verdict } from '@meshscript/filters'

export class Settings extends RootContext {
  policies: PolicySet | null = null

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    const policies = readPolicies(json)
    if (!json.refuseUnknown()) return false
    this.policies = policies
    return true
  }
}

export class PolicyFilter extends HttpContext<Settings> {
  onRequestHeaders(): Action {
    const policies = this.root.policies
    if (!policies) return this.refuse(utf8('not configured'))
    if (policies.decide(this.requestHeaders) == Verdict.Denied) return this.refuse(policies.decisionId)
    // The check of one's own.
    const tenant = nextSegment(property.requestUrlPath(), utf8('/tenants/'))
    const caller = nextSegment(property.connectionUriSanPeerCertificate(), utf8('spiffe://cluster.local/ns/'))
    if (tenant && (!caller || !caller.equals(tenant))) return this.refuse(utf8('tenant'))
    return Action.Continue
  }

  /** `reason` is what the access log shows. */
  private refuse(reason: ByteString): Action {
    this.sendLocalResponse(403, 'not for you\n', null, GrpcStatus.PermissionDenied, reason)
    return Action.Pause
  }
}

/** What is between a prefix and the next slash or the end; null where the prefix isn't there. */
function nextSegment(path: ByteString | null, prefix: ByteString): ByteString | null {
  if (!path || !path.startsWith(prefix)) return null
  const end = path.indexOf('/', prefix.length)
  return path.slice(prefix.length, end < 0 ? path.length : end)
}
