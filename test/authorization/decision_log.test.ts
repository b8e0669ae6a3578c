/** How much the filter logs. The Node host's clock stands still, so that a second has as many refusals as one likes. */
import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { expect, test } from 'vitest'
import wasm from '../../filters/authorization/assembly/index.ts?filter'

test('a flood of refusals is no flood of lines', async () => {
  const configuration = { version: 1, policies: [{ name: 'nobody', action: 'ALLOW', rules: [] }] }
  const host = await createNodeHost({ wasm, configuration })
  await host.request('/a\\b')
  await host.request(`/${'a'.repeat(300)}`)
  for (let i = 0; i < 28; i++) await host.request('/x')
  expect(host.logs.length).toBe(10)
  await host.advance(1000)
  await host.request('/x')
  const paths = host.logs.map(({ message }) => message.replace('denied policy=none method=GET path=', ''))
  expect(paths.slice(0, 3)).toEqual(['/a\\x5cb', `/${'a'.repeat(255)}…`, '/x'])
  expect(paths[10]).toBe('/x omitted=20')
  await host.close()
})
