import { Action, ByteString, Configuration, RootContext } from '@meshscript/sdk'
import { CheckedContext } from '../../../../filters/authorization/assembly/ext_authz/checked_context'
import { Providers, readProviders } from '../../../../filters/authorization/assembly/ext_authz/provider'

/** Asks about every request the provider that the path begins with: `/NAME/…`. */
export class CheckEverything extends RootContext {
  providers: Providers = new Providers()
  isAudit: bool = false

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    this.isAudit = json.get('audit').bool(false)
    const providers = readProviders(json.get('providers'))
    if (!json.refuseUnknown()) return false
    providers.start(this, this.providers)
    this.providers = providers
    return true
  }

  onTick(): void {
    this.providers.onTick()
  }
}

export class CheckedRequest extends CheckedContext {
  private get plugin(): CheckEverything {
    return changetype<CheckEverything>(this.rootContext)
  }

  onRequestHeaders(endOfStream: bool): Action {
    const providers = this.plugin.providers
    const provider = providers.find(firstSegment(this.requestHeaders.getOrEmpty(':path')))
    return provider ? this.askProvider(provider, providers, endOfStream) : Action.Continue
  }

  onCheckAllowed(): bool {
    // What is behind the check sees the headers as they are then.
    if (!this.requestHeaders.has('x-refuse')) return true
    this.sendLocalResponse(403, 'refused behind the check')
    return false
  }

  onCheckRefused(status: u32, isError: bool): bool {
    return !this.plugin.isAudit
  }

  onResponseHeaders(): Action {
    this.addCheckedHeaders()
    return Action.Continue
  }
}

function firstSegment(path: ByteString): ByteString {
  let end = path.indexOfByte(0x2f, 1)
  if (end < 0) end = path.indexOfByte(0x3f)
  return path.slice(1, end < 0 ? path.length : end)
}
