/** Istio's Gateway (networking.istio.io): the ports of a proxy at the edge, and the hosts that each of them takes. */
import { isIP } from 'node:net'
import type { Code } from '../codes.ts'
import type { Diagnostics } from '../diagnostics.ts'
import type { Path } from '../nodes.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { checkServerTls } from './gateway-tls.ts'
import { checkHost, isLabel } from './hosts.ts'

export interface ServerTls {
  httpsRedirect?: boolean
  /** Default `PASSTHROUGH`. */
  mode?: (typeof tlsModes)[number]
  serverCertificate?: string
  privateKey?: string
  caCertificates?: string
  caCrl?: string
  credentialName?: string
  credentialNames?: string[]
  tlsCertificates?: { serverCertificate?: string; privateKey?: string; caCertificates?: string }[]
}

export interface Server {
  port: { number: number; protocol: string; name: string; targetPort?: number }
  bind?: string
  /** `HOST`, or `NAMESPACE/HOST` with `*` for all namespaces and `.` for the Gateway's. */
  hosts: string[]
  tls?: ServerTls
  name?: string
}

export type IstioGateway = Resource<{ servers?: Server[]; selector?: Record<string, string> }>

const tlsModes = ['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'] as const
const tlsVersion: Schema = { type: 'string', enum: ['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'] }
const text: Schema = { type: 'string' }
const texts: Schema = { type: 'array', items: text }

/** Schema of `spec`, from Istio's CRD. */
export const gatewaySchema: Schema = {
  type: 'object',
  properties: {
    selector: { type: 'object', additionalProperties: text },
    servers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['port', 'hosts'],
        properties: {
          name: text,
          bind: text,
          defaultEndpoint: text,
          hosts: texts,
          port: {
            type: 'object',
            required: ['number', 'protocol', 'name'],
            properties: {
              number: { type: 'integer', minimum: 0, maximum: 65535 },
              protocol: text,
              name: text,
              targetPort: { type: 'integer', minimum: 0 },
            },
          },
          tls: {
            type: 'object',
            properties: {
              httpsRedirect: { type: 'boolean' },
              mode: { type: 'string', enum: tlsModes },
              serverCertificate: text,
              privateKey: text,
              caCertificates: text,
              caCrl: text,
              credentialName: text,
              credentialNames: texts,
              caCertCredentialName: text,
              tlsCertificates: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: { serverCertificate: text, privateKey: text, caCertificates: text },
                },
              },
              subjectAltNames: texts,
              verifyCertificateSpki: texts,
              verifyCertificateHash: texts,
              minProtocolVersion: tlsVersion,
              maxProtocolVersion: tlsVersion,
              cipherSuites: texts,
              insecureSkipVerify: { type: 'boolean' },
            },
          },
        },
      },
    },
  },
}

const httpProtocols = ['HTTP', 'HTTP2', 'HTTP_PROXY', 'GRPC', 'GRPC-WEB']
const protocols = [...httpProtocols, 'HTTPS', 'TLS', 'TCP', 'UDP', 'MONGO', 'REDIS', 'MYSQL']

/** Whether a server speaks HTTP in plain text. */
export const isPlainHttp = ({ port }: Server): boolean => httpProtocols.includes(port.protocol.toUpperCase())

/** Whether what comes through TLS is HTTP to the proxy: it ends the TLS. */
export const isTerminatedHttps = ({ port, tls }: Server): boolean =>
  port.protocol.toUpperCase() === 'HTTPS' && !/PASSTHROUGH$/.test(tls?.mode ?? 'PASSTHROUGH')

export type Report = (code: Code, path: Path, message: string, hint?: string) => void

/** What Istio's validation says beyond the fields. */
export function checkGateway(gateway: IstioGateway, diagnostics: Diagnostics): void {
  const report: Report = (code, path, message, hint) => {
    gateway.report(diagnostics, 'error', code, path, message, hint)
  }
  const { name } = gateway.metadata
  const { servers = [] } = gateway.spec
  if (!isLabel(name)) report('MS1106', ['metadata', 'name'], `${JSON.stringify(name)} has a dot, or is too long`)
  if (servers.length === 0) report('MS1103', ['spec', 'servers'], 'a Gateway has at least one server')
  servers.forEach((server, index) => {
    const path = ['spec', 'servers', index]
    checkServer(server, path, report)
    const { port, tls } = server
    if (servers.findIndex((other) => other.port.name === port.name) < index)
      report('MS1109', [...path, 'port', 'name'], `the port ${port.name} is there twice`, 'rename one of them')
    if (tls?.httpsRedirect && !isPlainHttp(server)) {
      const message = 'requests by HTTP alone are redirected to HTTPS: it says nothing here'
      gateway.report(diagnostics, 'warning', 'MS1413', [...path, 'tls', 'httpsRedirect'], message, 'remove it')
    }
  })
}

function checkServer(server: Server, path: Path, report: Report): void {
  const { port, bind = '', hosts } = server
  if (hosts.length === 0) report('MS1105', [...path, 'hosts'], 'at least one host is needed', 'write e.g. "*"')
  hosts.forEach((host, index) => {
    const problem = checkServerHost(host)
    if (problem) report('MS1106', [...path, 'hosts', index], problem, 'write HOST or NAMESPACE/HOST')
  })
  const at = [...path, 'port']
  if (!protocols.includes(port.protocol.toUpperCase())) {
    const message = `${JSON.stringify(port.protocol)} is not a protocol`
    report('MS1104', [...at, 'protocol'], message, `write one of ${protocols.join(', ')}`)
  }
  if (port.name === '') report('MS1103', [...at, 'name'], 'the port needs a name')
  if (port.targetPort) report('MS1413', [...at, 'targetPort'], 'it has no effect on Gateways', 'remove it')
  const isSocket = bind.startsWith('unix://')
  if (isSocket !== (port.number === 0)) {
    const message = isSocket ? 'a Unix socket has no port' : 'it is not a port'
    report('MS1106', [...at, 'number'], message, isSocket ? 'write number: 0' : 'write a number from 1 to 65535')
  }
  if (bind && !isSocket && !isIP(bind))
    report('MS1106', [...path, 'bind'], `${JSON.stringify(bind)} is not an address`, 'write an IP address or unix://…')
  checkServerTls(server, isPlainHttp(server), path, report)
}

function checkServerHost(host: string): string | undefined {
  const slash = host.indexOf('/')
  const namespace = host.slice(0, Math.max(slash, 0))
  if (slash >= 0 && namespace !== '*' && namespace !== '.' && !isLabel(namespace))
    return `${JSON.stringify(namespace)} is not the name of a namespace, "*" or "."`
  return checkHost(host.slice(slash + 1))
}
