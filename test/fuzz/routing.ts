/** The routing filter, with configurations of every kind and requests for them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileRouting } from '../../cli/src/compile/traffic/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import type { RequestInit } from '../../sdk/testing/types.ts'
import { root } from '../bench/paths.ts'
import type { Random } from '../json/documents.ts'
import type { ByteSource } from './bytes.ts'
import type { Scene } from './traffic.ts'

const PATHS = ['/a', '/a/b', '/a?b=c', '/', '/%C3%A9', '/a/b/c?v=1&v=2#x', '/a//b', '*', `/${'x'.repeat(3000)}`]
const HOSTS = ['a.test', 'x.b.test', 'c.test:8080', 'other', '[::1]:80', '']
const STATUSES = [200, 301, 404, 418, 503]

interface Configuration {
  version: 1
  virtualHosts: object[]
  unknownHost?: string
}

const matcher = (random: Random): object =>
  random.pick([{ exact: 'bob' }, { prefix: 'b' }, { suffix: 'b' }, { regex: '[a-c]*b?' }, { present: true }])

function makeMatch(random: Random): object {
  const path = random.pick([
    { exact: '/a' },
    { prefix: '/a' },
    { segments: '/a' },
    { regex: '/a(/.*)?' },
    { template: '/{*}/b' },
  ])
  const fields = {
    ...(random.below(2) && { path }),
    ...(random.below(3) === 0 && { method: { exact: 'GET' } }),
    ...(random.below(3) === 0 && { headers: { 'x-user': matcher(random) } }),
    ...(random.below(4) === 0 && { withoutHeaders: { 'x-user': matcher(random) } }),
    ...(random.below(4) === 0 && { queryParams: { v: matcher(random) } }),
  }
  return Object.keys(fields).length ? fields : { authority: { present: true } }
}

function makeRoute(random: Random): object {
  const headers = {
    request: { set: { 'x-a': 'b' }, add: { 'x-b': 'c' }, remove: ['x-user'] },
    response: { set: { 'x-c': 'd' }, remove: ['x-d'] },
  }
  const match = random.below(4) && { match: Array.from({ length: 1 + random.below(3) }, () => makeMatch(random)) }
  const kind = random.below(6)
  if (kind === 0) {
    const target = random.pick([{ path: '/new' }, { prefix: '/p' }, { authority: 'x.test', port: 8443 }, { scheme: 'https' }])
    return { ...match, redirect: { status: random.pick([301, 302, 307]), ...target } }
  }
  if (kind === 1) return { ...match, directResponse: { status: random.pick(STATUSES), body: 'b' } }
  const rewrite = random.pick([
    { prefix: '/new' },
    { path: '/whole' },
    { regex: { match: '/([^/]*)', substitution: '/\\1x' } },
    { authority: 'rewritten.test' },
  ])
  const weights = [random.below(100), random.below(100), 1]
  return {
    ...match,
    destinations: ['upstream', 'other', 'third'].map((cluster, n) => ({ cluster, weight: weights[n], ...(n === 1 && { headers }) })),
    ...(random.below(2) && { sticky: random.pick([{ header: 'x-user' }, { cookie: 'u' }, { claim: ['sub'] }, { principal: true }]) }),
    ...(random.below(2) && { rewrite }),
    ...(random.below(3) === 0 && { headers }),
    ...(random.below(3) === 0 && { timeout: '1.5s', retries: { attempts: random.below(4), on: '5xx', perTryTimeout: '1s' } }),
    ...(random.below(3) === 0 && { cors: { allowOrigins: [matcher(random)], allowMethods: ['GET'], maxAge: '1h' } }),
    ...(random.below(4) === 0 && { mirrors: [{ cluster: 'upstream', percentage: 50 }] }),
  }
} // prettier-ignore

function makeConfiguration(random: Random): Configuration {
  const hosts = [['*'], ['a.test'], ['*.b.test', 'c.*']].slice(0, 1 + random.below(3))
  return {
    version: 1,
    ...(random.below(2) && { unknownHost: 'pass' }),
    virtualHosts: hosts.map((domains, n) => ({
      name: `h${n}`,
      domains,
      routes: Array.from({ length: random.below(6) }, () => makeRoute(random)),
    })),
  }
}

function makeRequest(random: Random, bytes: ByteSource): RequestInit {
  const noise = () =>
    bytes
      .noise()
      .toString('latin1')
      .replaceAll(/[^!-~]/g, '_')
  const headers: [string, string][] = []
  if (random.below(3)) headers.push(['x-user', random.below(4) ? random.pick(['bob', 'b', 'ab', '']) : noise()])
  if (random.below(6) === 0) headers.push(['x-user', noise()])
  if (random.below(4) === 0) headers.push(['cookie', random.below(2) ? `u=${noise()}; v` : noise()])
  if (random.below(4) === 0) headers.push(['origin', random.pick(['bob', 'https://a.test', noise()])])
  if (random.below(8) === 0) headers.push(['access-control-request-method', 'GET'])
  if (random.below(8) === 0) headers.push(['x-meshscript-cluster', noise()])
  return {
    method: random.pick(['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT']),
    path: random.pick(PATHS.filter((path) => path !== '*')),
    authority: random.pick(HOSTS.filter(Boolean)),
    headers,
  }
}

const path = 'filters/routing/assembly/index.ts'

export const routingScene: Scene<Configuration> = { path, makeConfiguration, makeRequest, statusesOf: () => undefined }

const chapters = new Source('chapters.yaml', readFileSync(join(root, 'test/fixtures/chapters-routing.yaml'), 'utf8'))
const workload = { namespace: 'default', name: 'client', labels: {} }
const { configuration } = compileRouting([chapters], { workload, port: 9080, namespace: 'default' })
const complete = {
  version: 1,
  virtualHosts: [
    {
      name: 'h',
      domains: ['a', '*.a', 'b.*', '*'],
      routes: [
        {
          match: [{ path: { regex: '/a(b|c)*' }, claims: [{ claim: ['a'], value: { exact: 'b' } }], principal: { suffix: 'x' } }],
          destinations: [
            { cluster: 'a', weight: 1, headers: { response: { add: { a: 'b' } } } },
            { cluster: 'b', weight: 3, authority: 'c' },
          ],
          sticky: { cookie: 'u' },
          rewrite: { regex: { match: '^/(a+)', substitution: '/\\1' }, authority: 'd' },
          timeout: '1.5s',
          retries: { attempts: 2, on: '5xx', statusCodes: [418], perTryTimeout: '250ms' },
          cors: { allowOrigins: [{ exact: 'https://a' }], allowMethods: ['GET'], allowHeaders: ['a'], maxAge: '24h', allowCredentials: true, unmatchedPreflights: 'ignore' },
          mirrors: [{ cluster: 'm', percentage: 0.5 }],
          native: 'm1',
        },
        { redirect: { status: 308, scheme: 'https', authority: 'x', port: 'protocolDefault', path: '/p' } },
        { directResponse: { status: 200, bodyBase64: 'aGk=', contentType: 'text/plain' } },
      ],
    },
  ],
} // prettier-ignore

export const routing = {
  path,
  real: [complete, { ...configuration! }],
  grow: (bytes: number): object => {
    const { routes } = complete.virtualHosts[0]!
    const count = Math.ceil(bytes / JSON.stringify(routes).length)
    return { version: 1, virtualHosts: [{ domains: ['*'], routes: Array.from({ length: count }, () => routes).flat() }] }
  },
} // prettier-ignore
