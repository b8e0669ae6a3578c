import { expect, test } from 'vitest'
import { buildBootstrap, installEnvoy, routeConfig, startEnvoy } from './index.ts'

test('Envoy starts in well under a second', async () => {
  await installEnvoy()
  const routes = routeConfig([{ directResponse: { status: 200, body: 'direct' } }])
  const start = performance.now()
  const envoy = await startEnvoy({ bootstrap: buildBootstrap({ listeners: [{ name: 'web', http: { routes } }] }) })
  const took = performance.now() - start
  await envoy.stop()
  expect(took).toBeLessThan(1000)
})
