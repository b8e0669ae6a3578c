/** What real Istio and Envoy did with VirtualServices that have faults, made again by the compiler and the filters fault and routing. */
import { cluster, type UpstreamRequest } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { describe, expect, test } from 'vitest'
import { compileFaults } from '../../cli/src/compile/traffic/fault.ts'
import { Source } from '../../cli/src/resources/source.ts'
import fault from '../../filters/fault/assembly/index.ts?filter'
import routing from '../../filters/routing/assembly/index.ts?filter'
import { type RecordedRequest, routingCases } from '../routing/cases.ts'

const route = 'route: [{destination: {host: reviews}}]'
const withFault = (http: string) =>
  `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: rv, namespace: default}
spec: {hosts: [reviews], http: [${http}]}
`
const REVIEWS = 'outbound|9080||reviews.default.svc.cluster.local'
const passes = { status: 200, cluster: REVIEWS, attempts: 1 }
const aborted = (status: number) => ({
  status,
  cluster: null,
  attempts: 0,
  body: 'fault filter abort',
  localReply: true,
})

/** Of the same kind, with what Envoy's filter does by its source. */
const further: { name: string; config: string; requests: RecordedRequest[] }[] = [
  {
    name: 'an abort, and routes beside it',
    config: withFault(
      `{match: [{uri: {prefix: /a}}], fault: {abort: {httpStatus: 555, percentage: {value: 100}}}, ${route}}, {${route}}`,
    ),
    requests: [
      { path: '/a', ...aborted(555) },
      { path: '/b', ...passes },
    ],
  },
  {
    name: 'a delay and an abort',
    config: withFault(
      `{fault: {delay: {fixedDelay: 0.3s, percentage: {value: 100}}, abort: {httpStatus: 503, percentage: {value: 100}}}, ${route}}`,
    ),
    requests: [{ ...aborted(503), seconds: 0.3 }],
  },
  {
    name: 'a fault for one user',
    config: withFault(
      `{match: [{headers: {end-user: {exact: jason}}}], fault: {abort: {httpStatus: 500, percentage: {value: 100}}}, ${route}}, {${route}}`,
    ),
    requests: [
      { headers: { 'end-user': 'jason' }, ...aborted(500) },
      { headers: { 'end-user': ['jason', 'bob'] }, ...aborted(500) },
      { headers: { 'end-user': 'bob' }, ...passes },
    ],
  },
  {
    name: 'without a percentage',
    config: withFault(`{fault: {delay: {fixedDelay: 9s}, abort: {httpStatus: 500}}, ${route}}`),
    requests: [passes],
  },
  {
    name: 'a whole percentage of the old kind',
    config: withFault(`{fault: {delay: {fixedDelay: 0.3s, percent: 100}}, ${route}}`),
    requests: [{ ...passes, seconds: 0.3 }],
  },
  {
    name: 'retries begin after the delay, and do not follow an abort',
    config: withFault(
      `{match: [{uri: {prefix: /a}}], retries: {attempts: 3, retryOn: 5xx}, fault: {abort: {httpStatus: 503, percentage: {value: 100}}}, ${route}},` +
        `{retries: {attempts: 3, retryOn: 5xx}, fault: {delay: {fixedDelay: 0.3s, percentage: {value: 100}}}, ${route}}`,
    ),
    requests: [
      { path: '/a', ...aborted(503) },
      { path: '/b', ...passes, attempts: 3, backend: { status: 503, first: 2 }, seconds: 0.3 },
    ],
  },
]

const workload = { namespace: 'default', name: 'client', labels: {} }
const cases = routingCases(further).filter(({ config }) => config.includes('fault:'))

test('there are recorded ones', () => {
  expect(cases.length).toBeGreaterThan(further.length)
})

describe.each(cases)('$name', ({ name, config, configuration, requests }) => {
  test('as in Istio', async () => {
    const { configuration: faults } = compileFaults([new Source(`${name}.yaml`, config)], { workload })
    let seen: UpstreamRequest[] = []
    let backend: RecordedRequest['backend']
    const host = await createEnvoyHost({
      filters: [
        { wasm: fault, name: 'fault', vmId: 'fault', configuration: faults },
        { wasm: routing, name: 'routing', vmId: 'routing', configuration },
      ],
      clusters: {
        [REVIEWS]: cluster.http((request) => {
          seen.push(request)
          return seen.length > (backend?.first ?? 0) ? 200 : (backend?.status ?? 503)
        }),
      },
      routes: [{ clusterHeader: 'x-meshscript-cluster' }],
    })
    try {
      for (const request of requests) {
        seen = []
        backend = request.backend
        const { path = '/', host: authority = 'reviews:9080', headers = {}, seconds = 0 } = request
        const start = performance.now()
        const response = await host.request({ path, authority, headers })
        expect({ status: response.status, attempts: seen.length }).toEqual({
          status: request.status,
          attempts: request.attempts,
        })
        if (request.body !== undefined) expect(response.text).toBe(request.body)
        if (request.localReply) expect(response.details).toBe('fault_filter_abort')
        // What was recorded is rounded.
        expect((performance.now() - start) / 1000).toBeGreaterThan(seconds - 0.01)
      }
    } finally {
      await host.close()
    }
  })
})
