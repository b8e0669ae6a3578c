import { expect, test } from 'vitest'
import type {
  AuthorizationConfig,
  ConditionConfig,
  Matcher,
  OperationConfig,
  PolicyConfig,
  RuleConfig,
  SourceConfig,
} from '../compile/authorization-config.ts'
import { Judge } from '../explain/judge.ts'
import { emptyRequest, type PolicyRequest } from '../requests/request.ts'
import { unknown } from './record.ts'
import { Replay } from './replay.ts'
import { Side } from './side.ts'

/** Small numbers of everything, so that rules often match, and often by what is not known. */
class Generator {
  #state: number
  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * limit)
  }

  list<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: this.below(most + 1) }, make)
  }

  matchers(values: readonly string[]): Matcher[] {
    return Array.from({ length: 1 + this.below(2) }, () =>
      this.below(8) === 0 ? { present: true } : { exact: values[this.below(values.length)]! },
    )
  }

  rule(): RuleConfig {
    const not = () => this.below(3) === 0
    const from = this.list(2, (): SourceConfig => ({ [not() ? 'notPrincipals' : 'principals']: this.matchers(peers) }))
    const to = this.list(2, (): OperationConfig => {
      const paths = { [not() ? 'notPaths' : 'paths']: this.matchers(paths_) }
      return this.below(2) ? paths : { ...paths, methods: this.matchers(['GET', 'PUT']) }
    })
    const when = this.list(2, (): ConditionConfig => {
      const key = { header: ['x-known', 'x-open'][this.below(2)]! }
      return not() ? { ...key, notValues: this.matchers(values) } : { ...key, values: this.matchers(values) }
    })
    return { ...(from.length && { from }), ...(to.length && { to }), ...(when.length && { when }) }
  }

  configuration(rules: readonly RuleConfig[]): AuthorizationConfig {
    const policies = ['ALLOW', 'ALLOW', 'DENY'].map((action, index): PolicyConfig => {
      const own = this.list(2, () => rules[this.below(rules.length)]!)
      return { name: `p${index}`, action: action as 'ALLOW', rules: own }
    })
    return { version: 1, mode: 'enforce', policies: policies.filter(() => this.below(4) > 0) }
  }

  request(): PolicyRequest {
    const headers = ['x-known', 'x-open'].flatMap((name): [string, string][] => {
      return this.below(3) ? [[name, values[this.below(values.length)]!]] : []
    })
    const peer = this.below(3) ? [`spiffe://${peers[this.below(peers.length)]}`] : []
    const method = ['GET', 'PUT'][this.below(2)]!
    return { ...emptyRequest(), method, path: paths_[this.below(paths_.length)]!, headers, peer }
  }
}

const peers = ['td/ns/a/sa/a', 'td/ns/b/sa/b']
const paths_ = ['/a', '/b', '/c']
const values = ['1', '2']
const open = unknown(['principal'], false, ['x-known'])

/** What the log would have of the request. */
function recorded(request: PolicyRequest): PolicyRequest {
  return { ...request, peer: [], headers: request.headers.filter(([name]) => name === 'x-known') }
}

test('what is said of a partly known request holds for the whole one', { timeout: 60_000 }, async () => {
  const counts = { changed: 0, same: 0, undecided: 0 }
  for (let seed = 1; seed <= 60; seed++) {
    const generator = new Generator(seed)
    const rules = Array.from({ length: 4 }, () => generator.rule())
    const configurations = [generator.configuration(rules), generator.configuration(rules)] as const
    const [before, after] = configurations.map((each) => new Judge(each, {})) as [Judge, Judge]
    const replay = new Replay(new Side(configurations[0], {}), new Side(configurations[1], {}))
    for (let line = 1; line <= 12; line++) {
      const request = generator.request()
      const known = { ...replay.counts }
      await replay.add({ request: recorded(request), unknown: open }, line)
      const truth = [(await before.judge(request)).verdict, (await after.judge(request)).verdict]
      const said =
        replay.counts.changed > known.changed
          ? 'changed'
          : replay.counts.undecided > known.undecided
            ? 'undecided'
            : 'same'
      counts[said]++
      if (said !== 'undecided') {
        expect({ seed, line, changes: truth[0] !== truth[1] }).toEqual({ seed, line, changes: said === 'changed' })
      }
    }
    await Promise.all([before.close(), after.close(), replay.close()])
  }
  // None of the three is so rare that nothing was tried.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(30)
})
