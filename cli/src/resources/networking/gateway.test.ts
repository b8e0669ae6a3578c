/** What Istio's validation says of Gateways. */
import { describe, expect, test } from 'vitest'
import { Diagnostics } from '../diagnostics.ts'
import { parseResources } from '../parse.ts'
import { Source } from '../source.ts'

function check(spec: string, { name = 'web', version = 'v1' } = {}) {
  const diagnostics = new Diagnostics()
  const text = `{apiVersion: networking.istio.io/${version}, kind: Gateway, metadata: {name: ${name}, namespace: a}, spec: ${spec}}`
  const resources = parseResources([new Source('a.yaml', text)], diagnostics)
  expect(resources).toHaveLength(diagnostics.hasErrors ? 0 : 1)
  return diagnostics.toJSON()
}
const told = (...args: Parameters<typeof check>) =>
  check(...args).map(({ severity, code, field }) => `${severity} ${code} ${field}`)
const servers = (text: string) => `{selector: {istio: ingress}, servers: [${text}]}`
const http = '{number: 80, name: http, protocol: HTTP}'
const https = '{number: 443, name: https, protocol: HTTPS}'
const tls = (text: string, port = https) => told(servers(`{port: ${port}, hosts: ["*"], tls: {${text}}}`))
const hosts = (text: string) => told(servers(`{port: ${http}, hosts: [${text}]}`))
const port = (text: string, more = '') => told(servers(`{port: {${text}}, hosts: ["*"]${more}}`))

test.each(['v1', 'v1beta1', 'v1alpha3'])('%s is read', (version) =>
  expect(told(servers(`{port: ${http}, hosts: ["*"]}`), { version })).toEqual([]),
)

test('an unknown field is told with the nearest one', () => {
  const [first] = check(servers(`{port: ${http}, host: ["*"], hosts: ["*"]}`))
  expect(first).toMatchObject({ code: 'MS1101', field: 'spec.servers[0].host', hint: 'did you mean "hosts"?' })
})

test('at least one server, with a host, and a name without dots', () => {
  expect(told('{}')).toEqual(['error MS1103 spec.servers'])
  expect(hosts('')).toEqual(['error MS1105 spec.servers[0].hosts'])
  expect(told(servers(`{port: ${http}, hosts: ["*"]}`), { name: 'a.b' })).toEqual(['error MS1106 metadata.name'])
})

describe('hosts', () => {
  test.each(['"*"', 'a.com', '"*.a.com"', '"*/a.com"', '"./*"', 'ns/a.com', '10.0.0.1'])('%s', (host) =>
    expect(hosts(host)).toEqual([]),
  )
  test.each(['a..com', '"a.*.com"', '"~/a.com"', '"/a.com"', 'a_b/a.com', '"ns/"'])('%s is none', (host) =>
    expect(hosts(host)).toEqual(['error MS1106 spec.servers[0].hosts[0]']),
  )
})

describe('ports', () => {
  test.each([
    ['number: 80, name: a, protocol: http', '', []],
    ['number: 80, name: a, protocol: SPDY', '', ['error MS1104 spec.servers[0].port.protocol']],
    ['number: 0, name: a, protocol: HTTP', '', ['error MS1106 spec.servers[0].port.number']],
    ['number: 80, name: "", protocol: HTTP', '', ['error MS1103 spec.servers[0].port.name']],
    ['number: 80, protocol: HTTP', '', ['error MS1103 spec.servers[0].port.name']],
    ['number: 80, name: a, protocol: HTTP, targetPort: 81', '', ['error MS1413 spec.servers[0].port.targetPort']],
    ['number: 0, name: a, protocol: HTTP', ', bind: unix:///a', []],
    ['number: 80, name: a, protocol: HTTP', ', bind: unix:///a', ['error MS1106 spec.servers[0].port.number']],
    ['number: 80, name: a, protocol: HTTP', ', bind: a.com', ['error MS1106 spec.servers[0].bind']],
    ['number: 80, name: a, protocol: HTTP', ', bind: 10.0.0.1', []],
  ])('%s%s', (text, more, expected) => expect(port(text, more)).toEqual(expected))

  test('have names of their own', () => {
    const server = `{port: ${http}, hosts: ["*"]}`
    expect(told(servers(`${server}, ${server}`))).toEqual(['error MS1109 spec.servers[1].port.name'])
  })
})

describe('TLS', () => {
  const at = 'spec.servers[0].tls'
  test.each([
    ['mode: SIMPLE, credentialName: a', https, []],
    ['mode: SIMPLE, serverCertificate: /a, privateKey: /b', https, []],
    ['mode: SIMPLE, tlsCertificates: [{serverCertificate: /a, privateKey: /b}]', https, []],
    ['mode: SIMPLE, tlsCertificates: [{serverCertificate: /a}]', https, [`error MS1103 ${at}`]],
    ['mode: SIMPLE', https, [`error MS1103 ${at}`]],
    ['mode: SIMPLE, credentialName: a, credentialNames: [b]', https, [`error MS1204 ${at}`]],
    ['mode: MUTUAL, serverCertificate: /a, privateKey: /b', https, [`error MS1103 ${at}.caCertificates`]],
    ['mode: OPTIONAL_MUTUAL, credentialName: a', https, []],
    ['mode: SIMPLE, credentialName: a, caCrl: /c', https, [`error MS1204 ${at}.caCrl`]],
    ['mode: ISTIO_MUTUAL', https, []],
    ['mode: ISTIO_MUTUAL, credentialName: a', https, [`error MS1204 ${at}.credentialName`]],
    ['mode: PASSTHROUGH', '{number: 443, name: a, protocol: TLS}', []],
    ['mode: SIMPLES', https, [`error MS1104 ${at}.mode`]],
    ['httpsRedirect: true', http, []],
    ['mode: SIMPLE, credentialName: a', http, [`error MS1204 ${at}`]],
    ['mode: PASSTHROUGH', '{number: 1, name: a, protocol: TCP}', [`error MS1204 ${at}`]],
    ['mode: SIMPLE, credentialName: a, httpsRedirect: true', https, [`warning MS1413 ${at}.httpsRedirect`]],
  ])('%s for %s', (text, of, expected) => expect(tls(text, of)).toEqual(expected))

  test('is needed by HTTPS', () => {
    expect(told(servers(`{port: ${https}, hosts: ["*"]}`))).toEqual([`error MS1103 ${at}`])
  })
})
