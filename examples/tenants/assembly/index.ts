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

export class Tenants extends RootContext {
  policies: PolicySet | null = null

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    const policies = readPolicies(json)
    if (!json.refuseUnknown()) return false
    this.policies = policies
    return true
  }
}

/** Keeps tenants apart: `/tenants/NAME/…` is for NAME only. Who may do what there is up to the policies. */
export class TenantCheck extends HttpContext<Tenants> {
  onRequestHeaders(): Action {
    const policies = this.root.policies
    if (!policies) return this.refuse(utf8('not configured'))
    if (policies.decide(this.requestHeaders) == Verdict.Denied) return this.refuse(policies.decisionId)
    const tenant = nextSegment(property.requestUrlPath(), utf8('/tenants/'))
    if (tenant && !this.isFrom(tenant)) return this.refuse(utf8('tenant'))
    return Action.Continue
  }

  /** A workload acts for the tenant of its namespace; the gateway for the one that it names. */
  private isFrom(tenant: ByteString): bool {
    let caller = nextSegment(property.connectionUriSanPeerCertificate(), utf8('spiffe://cluster.local/ns/'))
    if (caller && caller.equals('gateway')) caller = this.requestHeaders.get('x-tenant')
    return caller !== null && !caller.isEmpty && caller.equals(tenant)
  }

  private refuse(reason: ByteString): Action {
    this.sendLocalResponse(403, 'not for you\n', null, GrpcStatus.PermissionDenied, utf8('tenants_').concat(reason))
    return Action.Pause
  }
}

/** What is between a prefix and the next slash or the end; null where the prefix isn't there. */
function nextSegment(path: ByteString | null, prefix: ByteString): ByteString | null {
  if (!path || !path.startsWith(prefix)) return null
  const end = path.indexOfByte(0x2f, prefix.length)
  return path.slice(prefix.length, end < 0 ? path.length : end)
}
