/** Istio's own validation takes what `meshscript compile --target istio` prints. */

import { afterAll, expect, test } from 'vitest'
import { CliFolder } from '../../cli/src/testing.ts'
import { validate } from './judge.ts'

const IMAGE = `oci://ghcr.io/acme/routing:v1@sha256:${'0'.repeat(64)}`
const ROUTES = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
  - match: [{headers: {end-user: {exact: jason}}}]
    route: [{destination: {host: reviews, subset: v2}}]
    mirror: {host: ratings}
    mirrorPercentage: {value: 5}
    timeout: 2s
  - route:
    - {destination: {host: reviews, subset: v1}, weight: 90}
    - {destination: {host: reviews, subset: v2}, weight: 10}
`
const folder = new CliFolder({ 'routes.yaml': ROUTES })
afterAll(() => folder.remove())

test('a WasmPlugin, and a VirtualService in place of each', async () => {
  const workload = '--workload shop/front --labels app=front --port 9080'
  const { code, stdout, stderr } = await folder.run(
    `compile routes.yaml --filter routing ${workload} --target istio --image ${IMAGE}`,
  )
  expect([code, stderr]).toEqual([0, ''])
  expect(await validate(stdout)).toEqual([
    { kind: 'WasmPlugin', name: 'shop/front-routing' },
    { kind: 'VirtualService', name: 'shop/reviews' },
  ])
  expect(stdout.slice(stdout.indexOf('---'))).toMatchInlineSnapshot(`
    "---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata:
      name: reviews
      namespace: shop
      labels:
        app.kubernetes.io/managed-by: meshscript
    spec:
      hosts:
        - reviews.shop.svc.cluster.local
      http:
        - match:
            - headers:
                x-meshscript-cluster:
                  exact: outbound|9080|v2|reviews.shop.svc.cluster.local
                x-meshscript-native:
                  exact: m1
          route:
            - destination:
                host: reviews.shop.svc.cluster.local
                subset: v2
                port:
                  number: 9080
          headers:
            request:
              remove:
                - x-meshscript-cluster
                - x-meshscript-native
          retries:
            attempts: 0
          mirrors:
            - destination:
                host: ratings.shop.svc.cluster.local
                port:
                  number: 9080
              percentage:
                value: 5
        - match:
            - headers:
                x-meshscript-cluster:
                  exact: outbound|9080|v1|reviews.shop.svc.cluster.local
          route:
            - destination:
                host: reviews.shop.svc.cluster.local
                subset: v1
                port:
                  number: 9080
          headers:
            request:
              remove:
                - x-meshscript-cluster
                - x-meshscript-native
          retries:
            attempts: 0
        - match:
            - headers:
                x-meshscript-cluster:
                  exact: outbound|9080|v2|reviews.shop.svc.cluster.local
          route:
            - destination:
                host: reviews.shop.svc.cluster.local
                subset: v2
                port:
                  number: 9080
          headers:
            request:
              remove:
                - x-meshscript-cluster
                - x-meshscript-native
          retries:
            attempts: 0
    "
  `)
})
