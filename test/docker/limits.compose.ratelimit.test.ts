/** The demo of the limit for all proxies, in containers: five pass, then none; nothing is left of it. */

import { expect, test } from 'vitest'
import { Demo } from './demo.ts'

const IMAGES = ['envoy', 'node', 'ratelimit', 'redis']
const demo = new Demo('examples/payments/limits.ts', IMAGES, ['PORT', 'ADMIN_PORT'])

test('five pass, then none; another tenant does', () => {
  const statuses = (tenant: string) =>
    [...demo.output.matchAll(new RegExp(`^GET /charge +${tenant} +(\\d+) +(.*?) +\\d+$`, 'gm'))].map(
      ([, status, limit]) => [Number(status), limit],
    )
  const refused = [429, '5, 5;w=3600;name="tenants"']
  expect(statuses('acme')).toEqual([...Array.from({ length: 5 }, () => [200, '-']), refused, refused])
  expect(statuses('globex')).toEqual([[200, '-']])
  expect(demo.output).toContain('Every answer is as expected.')
})

test('what it says to try counts, too', async () => {
  const [, url] = /(http:\S+\/charge)\n/.exec(demo.output)!
  const ask = async () => {
    const response = await fetch(url!, { headers: { 'x-tenant': 'initech' } })
    return [response.status, await response.text()]
  }
  const answers = []
  for (let i = 0; i < 6; i++) answers.push(await ask())
  expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200, 200, 429])
  expect(answers[0]![1]).toBe('payments: GET /charge done\n')
})

test('Ctrl-C ends and removes all of it', async () => {
  expect(await demo.containers()).toHaveLength(4)
  expect(await demo.interrupt()).toBe(0)
  expect(await demo.containers()).toEqual([])
}, 60_000)
