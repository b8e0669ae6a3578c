/** No attack gets by our filter that Envoy's native RBAC filter refuses; README.md lists what became of each. */

import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { format, resolveConfig } from 'prettier'
import { beforeAll, describe, expect, it } from 'vitest'
import filter from '../../filters/authorization/assembly/index.ts?filter'
import { normalizationSettings } from '../rbac/arena.ts'
import { compile } from '../rbac/run.ts'
import type { Attack } from './attack.ts'
import { policies } from './policies.ts'
import { judgeAttacks, type Judged } from './run.ts'
import { page } from './table.ts'

const readme = new URL('README.md', import.meta.url).pathname

let judged: Judged[]
let frames: Map<string, 'refused' | number>
beforeAll(async () => {
  ;({ judged, frames } = await judgeAttacks(filter))
}, 60_000)

const describeAttack = ({ attack }: Judged) => `${attack.group}: ${attack.name} against ${attack.policy}`

it('both filters decide the same', () => {
  expect(judged.length).toBeGreaterThan(150)
  expect(judged.filter(({ differences }) => differences.length > 0)).toEqual([])
})

it('as expected', () => {
  const unexpected = judged.filter(({ attack, native }) => native !== attack.expected)
  expect(unexpected.map((each) => `${describeAttack(each)}: ${each.native} ${each.details ?? ''}`)).toEqual([])
})

it('frames that are no good request do not get as far as filters', () => {
  const { good, ...bad } = Object.fromEntries(frames)
  // What a stream of frames looks like that does: `:status` is not `400`.
  expect(good).toBeTypeOf('number')
  expect(Object.keys(bad).length).toBeGreaterThan(15)
  for (const [name, outcome] of Object.entries(bad)) expect(outcome, name).toBe('refused')
})

it('who lets an attack pass says why', () => {
  const silent = judged.filter(({ attack, native }) => native === 'passes' && !attack.why)
  expect(silent.map(describeAttack)).toEqual([])
})

it('README.md', async () => {
  const text = await format(page(judged, [...frames.keys()]), { ...(await resolveConfig(readme)), parser: 'markdown' })
  await expect(text).toMatchFileSnapshot(readme)
})

describe('the Node host lets none pass either', () => {
  it('of those that it can send', { timeout: 60_000 }, async () => {
    let sent = 0
    const passed: string[] = []
    for (const each of judged) {
      if (each.native !== 'refused' || !isForNodeHost(each.attack)) continue
      sent++
      if ((await nodeStatus(each.attack)) === 200) passed.push(describeAttack(each))
    }
    expect(passed).toEqual(NODE_HOST_DIFFERS)
    expect(sent).toBeGreaterThan(80)
  })
})

/** Its connection manager is simpler than Envoy's: it leaves `..;`, HTTP/2's host beside :authority, and what Connection names. */
const NODE_HOST_DIFFERS = [
  'Path: GET /x/..;/admin against DENY paths /admin, /admin/*',
  'Host: HTTP/2 :authority and host differ against DENY hosts admin.com',
  'Header: named in Connection against ALLOW when x-role is there',
]

/** It verifies no tokens, has no PROXY protocol and reads no chunks. */
const isForNodeHost = ({ group, send, connection }: Attack) =>
  group !== 'Token' && !connection.proxied && !(typeof send === 'string' && /transfer-encoding|HTTP\/1\.0/i.test(send))

async function nodeStatus({ send, connection, policy, normalization = 'BASE' }: Attack): Promise<number> {
  const compiled = compile({ policies: [policies[policy]], trustDomains: ['cluster.local'] })
  if ('message' in compiled) throw new Error(compiled.message)
  const host = await createNodeHost({
    wasm: filter,
    configuration: compiled.configuration,
    rootId: 'authorization',
    tls: { trustDomain: '*', permissive: true },
    connectionManager: normalizationSettings(normalization),
    trace: false,
  })
  const { peer, sni, source = '127.0.0.1' } = connection
  const request =
    typeof send === 'string' ? { raw: Buffer.from(send, 'latin1') } : { ...send, protocol: 'http2' as const }
  try {
    const response = await host.request({
      ...request,
      ...{ source, sni, peer },
      filterState: { 'meshscript.direct_remote_address': source },
    })
    return response.status
  } finally {
    await host.close()
  }
}
