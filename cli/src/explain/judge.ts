/** The verdict on a request, as the filter gives it; an external authorizer, which can't be asked here, is left open. */
import type { AuthorizationConfig, PolicyConfig } from '../compile/authorization-config.ts'
import type { PolicyRequest } from '../requests/request.ts'
import { Filter, type Decision, type FilterMesh } from './filter.ts'

/**
 * `external`: an external authorizer is asked, and the request is allowed if that allows it. `rejected`: Envoy answers by itself
 * before the filter is asked.
 */
export type Verdict = 'allowed' | 'denied' | 'external' | 'rejected'

export interface Judgement extends Pick<Decision, 'audit' | 'dryRun' | 'details'> {
  verdict: Verdict
  /** Of the answer, where it does not come from the upstream. */
  status?: number
  /** Id of the rule that decided. */
  rule?: string
  /** The external authorizer that is asked. */
  provider?: string
}

const PERMISSION_DENIED = 7

export class Judge {
  readonly #filter: Filter
  readonly #external: Filter
  readonly #denial: number
  readonly #own: AuthorizationConfig
  readonly #asking: AuthorizationConfig | undefined
  readonly #providers = new Map<string, string>()

  constructor(configuration: AuthorizationConfig, mesh: FilterMesh) {
    this.#filter = new Filter(mesh)
    this.#external = new Filter(mesh)
    const { policies, denial } = configuration
    this.#denial = denial?.status ?? 403
    const asking = policies.filter(isAsking(configuration))
    // The filter refuses by itself where there is no provider, or more than one.
    const isOne = new Set(asking.map(({ provider }) => provider)).size === 1
    const { providers: _, ...rest } = configuration
    this.#own = isOne ? { ...rest, policies: policies.filter((each) => !asking.includes(each)) } : configuration
    if (!isOne) return
    for (const { name, provider } of asking) this.#providers.set(name, provider!)
    // Which rules match is asked by refusing what they match.
    this.#asking = {
      version: 1,
      mode: 'enforce',
      policies: asking.map(({ name, rules }) => ({ name, action: 'DENY', rules })),
    }
  }

  async judge(request: PolicyRequest): Promise<Judgement> {
    const decision = await this.#filter.decide(this.#own, request)
    const { allowed, status, rule, audit, dryRun, details } = decision
    const common = { audit, dryRun, details }
    if (!allowed) {
      const isDenial = status === this.#denial || decision.grpcStatus === PERMISSION_DENIED
      return { ...common, verdict: isDenial ? 'denied' : 'rejected', status, rule }
    }
    if (this.#asking) {
      const asked = await this.#external.decide(this.#asking, request)
      if (!asked.allowed) {
        const provider = this.#providers.get(asked.rule!.replace(/-rule\[\d+\]$/, ''))
        return { ...common, verdict: 'external', rule: asked.rule, provider }
      }
    }
    return { ...common, verdict: 'allowed', rule }
  }

  async close(): Promise<void> {
    await this.#filter.close()
    await this.#external.close()
  }
}

/** Whether a policy asks a provider that is there. */
const isAsking =
  ({ providers = {} }: AuthorizationConfig) =>
  ({ action, provider }: PolicyConfig): boolean =>
    action === 'CUSTOM' && provider !== undefined && Object.hasOwn(providers, provider)
