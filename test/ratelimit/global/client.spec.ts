/** How the filter asks the service that counts for all proxies, and what becomes of the request. The service is scripted here. */
import { cluster, createHost, type Host, type HostOptions, HostStartError } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import wasm from './assembly/index.ts?filter'
import { type Answer, type Asked, encodeAnswer, readAsked } from './messages.ts'

const METHOD = 'envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit'

type Reaction = Answer | Uint8Array | { status: number } | 'never' | ((asked: Asked) => Answer | Promise<Answer>)

let host: Host
let asked: Asked[]
afterEach(() => host?.close())

async function start(reaction: Reaction, global: object = {}, rules: object[] = USER, options: HostOptions = {}) {
  asked = []
  const service = cluster.grpc({
    [METHOD]: async ([message]) => {
      const question = readAsked(message!)
      asked.push(question)
      if (reaction === 'never') return { messages: [], delay: 3000 }
      if (reaction instanceof Uint8Array) return { messages: [reaction] }
      if ('status' in reaction) return { messages: [], ...reaction }
      return { messages: [encodeAnswer(typeof reaction === 'function' ? await reaction(question) : reaction)] }
    },
  })
  host = await createHost({
    wasm,
    allowOnHeadersStopIteration: true,
    configuration: {
      global: { cluster: 'limits', domain: 'shop', authority: 'limits.test', timeout: '1s', ...global },
      rules,
    },
    clusters: { limits: service },
    upstream: ({ body }) => ({ body: `got ${body.length}` }),
    ...options,
  })
}

const USER = [{ key: 'user', header: 'x-user' }]
const ask = (headers: Record<string, string> = { 'x-user': 'eve' }) => host.request({ headers })
const OVER: Answer = { code: 2, statuses: [{ code: 2, limit: { requests: 5, unit: 2 }, reset: 30_000 }] }
const MINUTE = { requests: 5, unit: 2 }

describe('the question', () => {
  test('has the domain and a descriptor for each rule, with its cost and limit', async () => {
    const rules = [
      ...USER,
      { key: 'tenant', header: 'x-tenant', cost: 300, limit: { requests: 70_000, per: '1h' } },
      { key: 'none', header: 'x-none' },
    ]
    await start({ code: 1 }, {}, rules)
    expect((await ask({ 'x-user': 'eve', 'x-tenant': 'acme' })).status).toBe(200)
    expect(asked).toEqual([
      {
        domain: 'shop',
        descriptors: [
          { entries: { user: 'eve' } },
          { entries: { tenant: 'acme' }, limit: { requests: 70_000, unit: 3 }, cost: 300 },
        ],
      },
    ])
  })

  test('is not asked where no rule is for the request', async () => {
    await start(OVER)
    expect((await ask({})).status).toBe(200)
    expect(asked).toEqual([])
  })

  test('grows with its values, and shrinks again', async () => {
    const rules = Array.from({ length: 12 }, (_, i) => ({ key: `k${i}`, header: 'x-user' }))
    await start({ code: 1 }, {}, rules)
    const long = 'a'.repeat(3000)
    for (const user of ['a', long, 'b']) expect((await ask({ 'x-user': user })).status).toBe(200)
    expect(asked.map(({ descriptors }) => descriptors.map(({ entries }, i) => entries[`k${i}`]))).toEqual(
      ['a', long, 'b'].map((user) => Array<string>(12).fill(user)),
    )
  })

  test('is text, whatever the client has sent', async () => {
    await start({ code: 1 })
    expect((await ask({ 'x-user': Buffer.from([0x61, 0xff, 0xc3, 0x62]).toString('latin1') })).status).toBe(200)
    expect(asked[0]!.descriptors[0]!.entries['user']).not.toContain('\ufffd')
  })
})

describe('the answer', () => {
  test('lets the request pass, and tells of the descriptor that has the least left', async () => {
    const rules = [...USER, { key: 'tenant', header: 'x-tenant' }, { key: 'any', header: 'x-user' }]
    const statuses = [
      { code: 1 },
      { code: 1, limit: { requests: 10, unit: 1 }, remaining: 7, reset: 500 },
      { code: 1, limit: MINUTE, remaining: 3, reset: 20_500 },
    ]
    await start(
      { code: 1, statuses, requestHeaders: { 'x-plan': 'gold', ':path': '/other', host: 'evil.test' } },
      {},
      rules,
    )
    const { status, upstream } = await ask({ 'x-user': 'eve', 'x-tenant': 'acme' })
    expect(status).toBe(200)
    expect(upstream!.headers.get('x-answer')).toBe('rule=2 limit=5 remaining=3 per=60000 reset=20500')
    expect(upstream!.headers.get('x-plan')).toBe('gold')
    expect(upstream!.path).toBe('/')
    expect(upstream!.authority).not.toBe('evil.test')
  })

  test('tells that the service knows no limit', async () => {
    await start({ code: 1, statuses: [{ code: 1 }] })
    expect((await ask()).upstream!.headers.get('x-answer')).toBe('rule=-1 limit=-1 remaining=0 per=0 reset=0')
  })

  test('refuses the request, for the first descriptor that is exhausted', async () => {
    const rules = [...USER, { key: 'tenant', header: 'x-tenant' }, { key: 'any', header: 'x-user' }]
    const statuses = [
      { code: 1, limit: MINUTE, remaining: 0, reset: 1 },
      { code: 2, limit: { requests: 9, unit: 4 }, reset: 30_000 },
      { code: 2, limit: MINUTE, reset: 40_000 },
    ]
    const more = { responseHeaders: { 'x-why': 'too many', 'content-length': '999' }, body: 'slow down' }
    await start({ code: 2, statuses, ...more }, {}, rules)
    const { status, headers, text, upstream } = await ask({ 'x-user': 'eve', 'x-tenant': 'acme' })
    expect({ status, text, upstream }).toEqual({ status: 429, text: 'slow down', upstream: undefined })
    expect(headers.get('x-answer')).toBe('rule=1 limit=9 remaining=0 per=86400000 reset=30000')
    expect(headers.get('x-why')).toBe('too many')
  })

  test('has requests with bodies wait', async () => {
    await start({ code: 1 })
    const body = 'b'.repeat(20_000)
    const { text } = await host.request({ method: 'POST', headers: { 'x-user': 'eve' }, body })
    expect(text).toBe('got 20000')
  })

  test('reaches the request that asked, of several at once', async () => {
    await start(async ({ descriptors }) => {
      const user = descriptors[0]!.entries['user']!
      // The later a request came, the sooner it is answered.
      await new Promise((resolve) => setTimeout(resolve, 200 - Number(user) * 8))
      return { code: Number(user) % 2 ? 2 : 1, requestHeaders: { 'x-for': user }, responseHeaders: { 'x-for': user } }
    })
    const responses = await Promise.all(Array.from({ length: 20 }, (_, i) => ask({ 'x-user': String(i) })))
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 ? 429 : 200)))
    const told = responses.map(({ headers, upstream }) => (upstream ?? { headers }).headers.get('x-for'))
    expect(told).toEqual(Array.from({ length: 20 }, (_, i) => String(i)))
  })
})

describe('where there is no answer', () => {
  const failures: [string, Reaction][] = [
    ['the service fails', { status: 13 }],
    ['it does not answer in time', 'never'],
    ['its answer is no message', Buffer.from([0x0a, 0xff])],
    ['its answer is empty', { code: 0 }],
    ['its answer is a code that nobody knows', { code: 3 }],
    ['a status of it is no message', Buffer.from([0x08, 0x01, 0x12, 0x01, 0x0a])],
  ]

  test.each(failures)('%s: the request is refused', async (_, reaction) => {
    await start(reaction, { timeout: '150ms' })
    const { status, headers } = await ask()
    expect([status, headers.get('x-answer')]).toEqual([500, 'error'])
    await expect
      .poll(() => host.logs.map(({ message }) => message).join('\n'))
      .toContain('rate limit service limits failed')
  })

  test.each(failures)('%s: the request passes where it is to', async (_, reaction) => {
    await start(reaction, { timeout: '150ms', failureMode: 'open' })
    expect((await ask()).status).toBe(200)
  })

  test.each(['closed', 'open'])('there is no such cluster: %s', async (failureMode) => {
    await start({ code: 1 }, { cluster: 'nobody', failureMode, statusOnError: 503 })
    expect((await ask()).status).toBe(failureMode === 'open' ? 200 : 503)
    await expect.poll(() => host.logs.map(({ message }) => message).join('\n')).toContain('the call can not be sent')
    expect(asked).toEqual([])
  })
})

describe('a refusal is remembered', () => {
  test('until it is over', async () => {
    await start({ code: 2, statuses: [{ code: 2, limit: MINUTE, reset: 3000 }] })
    expect((await ask()).headers.get('x-answer')).not.toContain('cached')
    const { status, headers } = await ask()
    expect(status).toBe(429)
    expect(headers.get('x-answer')).toMatch(/^cached rule=0 limit=5 remaining=0 per=60000 reset=[1-3]?\d{1,3}$/)
    expect(asked).toHaveLength(1)
    await host.advance(3100)
    expect((await ask()).status).toBe(429)
    expect(asked).toHaveLength(2)
  })

  test('for its descriptor only, and its cost', async () => {
    const rules = [
      { key: 'user', header: 'x-user' },
      { key: 'user', header: 'x-dear', cost: 5 },
    ]
    await start(OVER, {}, rules)
    const requests: Record<string, string>[] = [
      { 'x-user': 'a' },
      { 'x-user': 'b' },
      { 'x-dear': 'a' },
      { 'x-dear': 'a' },
    ]
    for (const headers of requests) await ask(headers)
    expect(asked.map(({ descriptors }) => descriptors[0]!.entries['user'])).toEqual(['a', 'b', 'a'])
  })

  test('also beside other descriptors', async () => {
    const rules = [...USER, { key: 'tenant', header: 'x-tenant' }]
    await start(
      (question) => ({
        code: 2,
        statuses: question.descriptors.map((_, i) => ({ ...OVER.statuses![0]!, code: i + 1 })),
      }),
      {},
      rules,
    )
    await ask({ 'x-user': 'a', 'x-tenant': 't' })
    const { headers } = await ask({ 'x-user': 'b', 'x-tenant': 't' })
    expect(headers.get('x-answer')).toContain('cached rule=1')
    expect(asked).toHaveLength(1)
  })

  test('not where it has no end', async () => {
    await start({ code: 2, statuses: [{ code: 2, limit: MINUTE }] })
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(429)
    expect(asked).toHaveLength(3)
  })

  test.each([
    ['maxKeys', { maxKeys: 0 }],
    ['maxAge', { maxAge: '0s' }],
  ])('not where it is not to be: %s', async (_, cache) => {
    await start(OVER, { cache })
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(429)
    expect(asked).toHaveLength(3)
  })

  test('within bounds', async () => {
    await start(OVER, { cache: { maxKeys: 8 } })
    for (let i = 0; i < 40; i++) await ask({ 'x-user': String(i) })
    expect(asked).toHaveLength(40)
    let known = 0
    for (let i = 0; i < 40; i++)
      if ((await ask({ 'x-user': String(i) })).headers.get('x-answer')!.startsWith('cached')) known++
    expect(known).toBeLessThanOrEqual(8)
  })
})

describe('a configuration is refused', () => {
  const GLOBAL = { cluster: 'limits', domain: 'shop' }
  const rule = (limit: object) => ({ global: GLOBAL, rules: [{ key: 'a', header: 'b', limit }] })
  test.each<[string, object, string]>([
    ['no cluster', { global: { domain: 'a' }, rules: [] }, 'global: missing field "cluster"'],
    ['no domain', { global: { cluster: 'a', domain: '' }, rules: [] }, 'global.domain'],
    ['an odd mode', { global: { ...GLOBAL, failureMode: 'ajar' }, rules: [] }, 'global.failureMode'],
    ['an odd status', { global: { ...GLOBAL, statusOnError: 200 }, rules: [] }, 'global.statusOnError'],
    ['no time', { global: { ...GLOBAL, timeout: '0s' }, rules: [] }, 'global.timeout'],
    ['an unknown member', { global: { ...GLOBAL, failOpen: true }, rules: [] }, 'global.failOpen'],
    ['an odd cache', { global: { ...GLOBAL, cache: { maxKeys: -1 } }, rules: [] }, 'global.cache.maxKeys'],
    ['a limit by 2 seconds', rule({ requests: 1, per: '2s' }), 'rules[0].limit.per'],
    ['a limit with a burst', rule({ requests: 1, per: '1s', burst: 3 }), 'rules[0].limit.burst'],
    ['a limit without requests', rule({ per: '1s' }), 'rules[0].limit: missing field "requests"'],
  ])('with %s', async (_, configuration, path) => {
    const error = await start({ code: 1 }, {}, [], { configuration }).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(error).toBeInstanceOf(HostStartError)
    expect((error as HostStartError).logs.map(({ message }) => message).join('\n')).toContain(path)
  })
})
