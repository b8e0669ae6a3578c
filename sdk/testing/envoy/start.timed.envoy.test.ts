import { expect, test } from 'vitest'
import { buildBootstrap, installEnvoy, routeConfig, startEnvoy } from './index.ts'

test('Envoy starts in well under a second', async () => {
  await installEnvoy()
  const routes = routeConfig([{ directResponse: { status: 200, body: 'direct' } }])
  const bootstrap = buildBootstrap({ listeners: [{ name: 'web', http: { routes } }] })
  // The best of some: the machine may have other work.
  let best = Infinity
  for (let i = 0; i < 5 && best >= 1000; i++) {
    const start = performance.now()
    const envoy = await startEnvoy({ bootstrap })
    best = Math.min(best, performance.now() - start)
    await envoy.stop()
  }
  expect(best).toBeLessThan(1000)
})
