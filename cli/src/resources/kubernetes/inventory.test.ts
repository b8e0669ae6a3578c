import { expect, test } from 'vitest'
import { Diagnostics } from '../diagnostics.ts'
import { parseResources } from '../parse.ts'
import { Source } from '../source.ts'
import { Inventory } from './inventory.ts'

function read(text: string) {
  const diagnostics = new Diagnostics()
  const inventory = new Inventory(
    parseResources([new Source('cluster.yaml', text)], diagnostics, { namespace: 'shop' }),
  )
  expect(diagnostics.toJSON()).toEqual([])
  return inventory
}
const pods = (text: string) => read(text).pods.map(({ resource: _resource, ...pod }) => pod)

test('what kubectl prints of pods', () => {
  const list = `
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
  - apiVersion: v1
    kind: Pod
    metadata: {name: a, namespace: shop, labels: {app: a}, uid: x, generateName: a-}
    spec:
      serviceAccount: old
      serviceAccountName: web
      containers: [{name: c, ports: [{name: HTTP, containerPort: 8080, protocol: TCP}, {containerPort: 1}]}]
    status: {phase: Running, hostIP: 10.0.0.1, podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}, {ip: "fd00::1"}]}
  - {apiVersion: v1, kind: Pod, metadata: {name: ended, namespace: shop}, spec: {}, status: {phase: Succeeded, podIP: 10.1.0.2}}
  - {apiVersion: v1, kind: Pod, metadata: {name: node, namespace: shop}, spec: {hostNetwork: true}, status: {podIP: 10.0.0.1}}
`
  expect(pods(list)).toEqual([
    {
      kind: 'Pod',
      name: 'a',
      namespace: 'shop',
      labels: { app: 'a' },
      serviceAccount: 'web',
      addresses: ['10.1.0.1', 'fd00::1'],
      ports: { http: 8080 },
    },
  ])
})

test('what pods are made from', () => {
  const template = 'template: {metadata: {labels: {app: a}}, spec: {serviceAccountName: web}}'
  const documents = [
    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {${template}}}`,
    `{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {${template}}}}}`,
    '{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: e}, spec: {template: {}}}',
  ]
  expect(
    pods(documents.join('\n---\n')).map(({ name, labels, serviceAccount }) => [name, labels, serviceAccount]),
  ).toEqual([
    ['d', { app: 'a' }, 'web'],
    ['c', { app: 'a' }, 'web'],
    ['e', {}, 'default'],
  ])
})

test('the pods of a workload: by labels, else by name', () => {
  const pod = (name: string, labels: string) =>
    `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: ${labels}}}`
  const inventory = read([pod('a', '{app: x}'), pod('b', '{app: x, v: "1"}'), pod('c', '{}')].join('\n---\n'))
  const names = (name: string, labels: Record<string, string>) =>
    inventory.podsOf({ namespace: 'shop', name, labels }).map((each) => each.name)
  expect(names('c', { app: 'x' })).toEqual(['a', 'b'])
  expect(names('c', { app: 'x', v: '1' })).toEqual(['b'])
  expect(names('c', { app: 'y' })).toEqual(['c'])
  expect(names('c', {})).toEqual(['c'])
  expect(inventory.podsOf({ namespace: 'other', name: 'c', labels: {} })).toEqual([])
})

test('secrets, decoded', () => {
  const inventory = read('{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: YQ==}, stringData: {b: b}}')
  expect([...inventory.secret('shop', 's')!]).toEqual([
    ['a', 'a'],
    ['b', 'b'],
  ])
  expect(inventory.secret('other', 's')).toBeUndefined()
})

test('services without an address of their own have none', () => {
  const inventory = read(`
{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: None, selector: {app: x}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: b}, spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, "fd00::2"], ports: [{port: 80, targetPort: web}]}}`)
  expect(inventory.services).toMatchObject([
    { name: 'a', addresses: [], selector: { app: 'x' }, ports: [{ port: 80, targetPort: 80 }] },
    { name: 'b', addresses: ['10.96.0.1', 'fd00::2'], selector: undefined, ports: [{ port: 80, targetPort: 'web' }] },
  ])
})
