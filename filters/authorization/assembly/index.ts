import {
  Action,
  ByteString,
  Configuration,
  Counter,
  filterState,
  GrpcStatus,
  HttpContext,
  Pairs,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { readRules } from './configuration'
import { Peer, PeerReader } from './peer'
import { Decision, RequestView, RuleIndex } from './rule_index'

/** The attributes of the request whose headers callback runs. One object serves all requests: it holds nothing beyond a callback. */
@final
class CurrentRequest extends RequestView {
  private peers: PeerReader = new PeerReader()
  private hasPeer: bool = false
  private knownPeer: Peer | null = null
  private pairs: Pairs | null = null
  private context: AuthorizationContext | null = null

  /** Forgets the request before. */
  begin(context: AuthorizationContext): void {
    this.context = context
    this.hasPeer = false
    this.knownPeer = null
    this.pairs = null
  }

  get peer(): Peer | null {
    if (!this.hasPeer) {
      this.hasPeer = true
      this.knownPeer = this.peers.read()
    }
    return this.knownPeer
  }

  /** True when a rule asked for the peer, and its certificate can't be read. */
  get hasUnreadablePeer(): bool {
    const peer = this.knownPeer
    return peer !== null && !peer.isReadable
  }

  get headers(): Pairs {
    const known = this.pairs
    if (known) return known
    const read = this.context!.requestHeaders.all()
    this.pairs = read
    return read
  }

  get path(): ByteString | null {
    const path = this.headers.get(utf8(':path'))
    if (!path) return null
    for (let i = 0; i < path.length; i++) {
      const byte = path.byteAt(i)
      if (byte == 0x3f || byte == 0x23) return path.slice(0, i) // ? #
    }
    return path
  }
}

export class AuthorizationRoot extends RootContext {
  /** Null until a configuration was accepted; then no request passes. */
  rules: RuleIndex | null = null
  isAudit: bool = false
  recordsAllowed: bool = false
  request: CurrentRequest = new CurrentRequest()
  requests: Counter = new Counter('authorization_requests_total', ['verdict', 'policy'])

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    json.get('$schema').string('')
    const isAudit = json.get('mode').oneOf(['enforce', 'audit'], 0) == 1
    const recordsAllowed = json.get('record').oneOf(['denied', 'all'], 0) == 1
    const rules = readRules(json)
    if (!json.refuseUnknown()) return false
    this.isAudit = isAudit
    this.recordsAllowed = recordsAllowed
    this.rules = rules
    return true
  }
}

/** Allows or refuses a request by the rules of its plugin. */
export class AuthorizationContext extends HttpContext<AuthorizationRoot> {
  onRequestHeaders(): Action {
    const root = this.root
    const rules = root.rules
    if (!rules) return this.refuse(utf8('not configured'))
    const request = root.request
    request.begin(this)
    let decision = rules.decide(request)
    const isUnreadable = request.hasUnreadablePeer
    // Neither an ALLOW rule that matched nor a DENY rule that did not says anything then.
    if (isUnreadable) decision = null
    if (!isUnreadable && (decision ? !decision.isDeny : !rules.hasAllowPolicy)) {
      if (root.recordsAllowed) this.record(utf8('allowed'), decision)
      return Action.Continue
    }
    this.record(root.isAudit ? utf8('audited') : utf8('denied'), decision)
    if (root.isAudit) return Action.Continue
    return this.refuse(idOf(decision))
  }

  /** Tells access logs and metrics who decided. */
  private record(verdict: ByteString, decision: Decision | null): void {
    filterState.set('authorization.policy', idOf(decision))
    filterState.set('authorization.verdict', verdict)
    this.root.requests.with2(verdict, idOf(decision)).increment()
  }

  private refuse(id: ByteString): Action {
    const details = utf8('rbac_access_denied_matched_policy[').concat(id).concat(utf8(']'))
    this.sendLocalResponse(403, 'RBAC: access denied', null, GrpcStatus.PermissionDenied, details)
    return Action.Pause
  }
}

function idOf(decision: Decision | null): ByteString {
  return decision ? decision.id.view : utf8('none')
}
