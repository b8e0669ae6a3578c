/** Routes of the projects' own repositories. They are other projects': read where they are, and no part of a published copy. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { TrafficOptions } from './index.ts'
import { clusterOf, compileTraffic } from './testing.ts'

const folder = new URL('../../../../../shared/yaml/', import.meta.url)

interface Example {
  options?: Partial<TrafficOptions>
  /** How the file has to be mended first; why it is refused as it is. */
  mend?: { from: RegExp; to: string; because: string }
  /** The destinations of each route; the number of routes. */
  routes: object[] | number
  /** What is said of it, as `severity CODE field`. */
  told?: string[]
}

const shop = { workload: { namespace: 'default', name: 'w', labels: {} }, namespace: 'default' }
const [v1, v2] = [clusterOf('my-website-v1', 80, 'default'), clusterOf('my-website-v2', 80, 'default')]

const examples: Record<string, Example> = {
  'smi/trafficsplit-v1alpha2.yaml': {
    routes: [
      {
        destinations: [
          { cluster: v1, weight: 50 },
          { cluster: v2, weight: 50 },
        ],
      },
    ],
  },
  'smi/trafficsplit-v1alpha4-abtest.yaml': {
    mend: {
      from: /^kind: TrafficSplit([^]*)^kind: HTTPRouteGroup/m,
      to: 'apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit$1apiVersion: specs.smi-spec.io/v1alpha2\nkind: HTTPRouteGroup',
      because: 'a Kubernetes resource needs apiVersion',
    },
    routes: [
      {
        match: [{ headers: { 'user-agent': { regex: '.*Firefox.*' } } }],
        destinations: [{ cluster: clusterOf('website-v2', 80, 'default') }],
      },
      { destinations: [{ cluster: clusterOf('website', 80, 'default') }] },
    ],
  },
  // Nothing is split by it alone.
  'smi/httproutegroup-v1alpha4-headers.yaml': {
    mend: {
      from: /^kind:/m,
      to: 'apiVersion: specs.smi-spec.io/v1alpha4\nkind:',
      because: 'a Kubernetes resource needs apiVersion',
    },
    routes: 0,
    told: ['warning MS1402'],
  },
  // It is about access.
  'smi/traffictarget-v1alpha3.yaml': {
    mend: {
      from: /^kind: TrafficTarget/m,
      to: 'apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget',
      because: 'a Kubernetes resource needs apiVersion',
    },
    routes: 0,
    told: ['warning MS1402', 'info MS1006'],
  },
  // Who may reach a workload is no matter of routes.
  'linkerd/emoji-policy.yaml': { routes: 0, told: ['warning MS1402', 'info MS1006'] },
  'linkerd/serviceprofile-webapp.yaml': {
    options: { workload: { namespace: 'booksapp', name: 'traffic', labels: {} }, port: 7000 },
    routes: [
      ['GET', { exact: '/' }],
      ['POST', { exact: '/authors' }],
      ['GET', { regex: '/authors/[^/]*' }],
      ['POST', { regex: '/authors/[^/]*/delete' }],
      ['POST', { regex: '/authors/[^/]*/edit' }],
      ['POST', { exact: '/books' }],
      ['GET', { regex: '/books/[^/]*' }],
      ['POST', { regex: '/books/[^/]*/delete' }],
      ['POST', { regex: '/books/[^/]*/edit' }],
      undefined,
    ].map((match) => ({
      ...(match && { match: [{ method: { exact: match[0] }, path: match[1] }] }),
      destinations: [{ cluster: clusterOf('webapp', 7000, 'booksapp') }],
    })),
  },
  'linkerd/traffic-split-leaf-weights.yaml': {
    routes: [{ destinations: [{ cluster: clusterOf('backend-svc', 80, 'default') }] }],
  },
}

describe.runIf(existsSync(folder))('examples', () => {
  test('every file is one', () => {
    const files = ['smi', 'linkerd'].flatMap((name) =>
      readdirSync(new URL(name, folder)).map((file) => `${name}/${file}`),
    )
    expect(Object.keys(examples)).toEqual(expect.arrayContaining(files))
  })

  test.each(Object.entries(examples))('%s', (name, { options, mend, routes, told = [] }) => {
    const original = readFileSync(new URL(name, folder), 'utf8')
    const compile = (text: string) => compileTraffic([text], { ...shop, ...options })
    if (mend) expect(compile(original).messages).toContain(mend.because)
    const compiled = compile(mend ? original.replace(mend.from, mend.to) : original)
    expect(compiled.told.sort()).toEqual([...told].sort())
    expect(compiled.routes).toHaveLength(typeof routes === 'number' ? routes : routes.length)
    if (typeof routes !== 'number') expect(compiled.routes).toMatchObject(routes)
  })
})
