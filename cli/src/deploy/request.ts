/** What is to be deployed, checked as Kubernetes, Istio and Envoy Gateway check it. */

import { UsageError } from '../errors.ts'
import { type Reference } from '../oci/reference.ts'

export const forms = ['wasm-plugin', 'traffic-extension', 'envoy-extension-policy', 'envoy-filter', 'envoy'] as const
export type Form = (typeof forms)[number]

export const failStrategies = ['FAIL_RELOAD', 'FAIL_CLOSE', 'FAIL_OPEN'] as const
export type FailStrategy = (typeof failStrategies)[number]

/** Where the proxies get the module. */
export type Code =
  /** An image, by the digest of its manifest. */
  | { kind: 'image'; reference: Reference; digest: string }
  /** `sha256` is that of the module, 64 hexadecimal digits. */
  | { kind: 'url'; url: string; sha256: string }
  /** A file beside the proxy. */
  | { kind: 'file'; path: string }

export interface TargetRef {
  group: string
  kind: string
  name: string
}

export interface Match {
  mode: 'CLIENT' | 'SERVER' | 'CLIENT_AND_SERVER'
  ports?: { number: number }[]
}

export interface Variable {
  name: string
  /** Undefined: the proxy's own. */
  value?: string
}

export interface DeployRequest {
  name: string
  /** Undefined: that of kubectl's context. */
  namespace?: string
  code: Code
  configuration?: Record<string, unknown>
  phase?: 'AUTHN' | 'AUTHZ' | 'STATS'
  priority?: number
  selector?: Record<string, string>
  targets: TargetRef[]
  matches: Match[]
  failStrategy: FailStrategy
  /** The root id. */
  pluginName?: string
  imagePullSecret?: string
  env: Variable[]
  type: 'HTTP' | 'NETWORK'
  /** Lets Envoy call the filter again for a request that it holds (Envoy's `allow_on_headers_stop_iteration`). */
  allowOnHeadersStopIteration?: boolean
}

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const QUALIFIED_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

const refuse = (what: string, reason: string): never => {
  throw new UsageError(`${what}: ${reason}`, 'DEP001')
}

/** A name of a resource. */
export function checkName(name: string): string {
  if (name.length > 253) return refuse(`--name ${name}`, 'it has more than 253 characters')
  if (SUBDOMAIN.test(name)) return name
  return refuse(`--name ${name}`, 'it has small letters, digits, - and ., and begins and ends with a letter or digit')
}

export function checkNamespace(name: string): string {
  if (name.length > 63) return refuse(`--namespace ${name}`, 'it has more than 63 characters')
  if (LABEL.test(name)) return name
  return refuse(`--namespace ${name}`, 'it has small letters, digits and -, and begins and ends with a letter or digit')
}

/** The name that a resource gets from its image's repository, e.g. `my-filter` of `acme/My_filter`. */
export function defaultName(repository: string): string {
  return repository
    .split('/')
    .at(-1)
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
}

/** Labels, `k=v,…`. */
export function parseSelector(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const part of text.split(',')) {
    const equals = part.indexOf('=')
    if (equals < 1) refuse(`--selector ${text}`, 'write KEY=VALUE, with commas between them')
    labels[part.slice(0, equals).trim()] = part.slice(equals + 1).trim()
  }
  return checkLabels(labels)
}

/** Labels as Kubernetes takes them. */
export function checkLabels(labels: Record<string, string>): Record<string, string> {
  for (const [key, value] of Object.entries(labels)) {
    const [prefix, name] = key.includes('/')
      ? [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)]
      : ['', key]
    const prefixed = !key.includes('/') || (SUBDOMAIN.test(prefix) && prefix.length <= 253)
    if (!prefixed || !QUALIFIED_NAME.test(name) || name.length > 63) refuse(`--selector ${key}`, 'no key of a label')
    if (value !== '' && (!QUALIFIED_NAME.test(value) || value.length > 63))
      refuse(`--selector ${key}=${value}`, 'no value of a label')
  }
  return labels
}

const istioGroups: Record<string, string> = {
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
  Service: '',
  ServiceEntry: 'networking.istio.io',
}
const gatewayGroups: Record<string, string> = Object.fromEntries(
  ['Gateway', 'HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute', 'UDPRoute'].map((kind) => [
    kind,
    'gateway.networking.k8s.io',
  ]),
)

/** `KIND/NAME`: what a resource is attached to. */
export function parseTarget(text: string, form: Form): TargetRef {
  const [kind = '', name = '', ...rest] = text.split('/')
  const groups = form === 'envoy-extension-policy' ? gatewayGroups : istioGroups
  if (rest.length || name === '') return refuse(`--target-ref ${text}`, 'write KIND/NAME')
  if (!Object.hasOwn(groups, kind))
    return refuse(`--target-ref ${text}`, `it can be attached to ${Object.keys(groups).join(', ')}`)
  if (!SUBDOMAIN.test(name) || name.length > 253) return refuse(`--target-ref ${text}`, `${name} is no name`)
  return { group: groups[kind]!, kind, name }
}

const modes = ['CLIENT', 'SERVER', 'CLIENT_AND_SERVER'] as const

/** `MODE[:PORT,…]`. */
export function parseMatch(text: string): Match {
  const colon = text.indexOf(':')
  const word = colon < 0 ? text : text.slice(0, colon)
  const mode = modes.find((mode) => mode === word)
  if (!mode) return refuse(`--match ${text}`, `write MODE[:PORT,…], MODE one of ${modes.join(', ')}`)
  if (colon < 0) return { mode }
  const numbers = text.slice(colon + 1).split(',')
  const ports = [...new Set(numbers)].map((text) => (/^\d{1,5}$/.test(text) ? Number(text) : 0))
  const wrong = ports.findIndex((port) => port < 1 || port > 65535)
  if (wrong >= 0) return refuse(`--match ${text}`, `${JSON.stringify([...new Set(numbers)][wrong])} is no port`)
  return { mode, ports: ports.map((number) => ({ number })) }
}

/** `K=V`, or `K`: then the value is the proxy's own. */
export function parseVariable(text: string): Variable {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  if (name === '' || name.length > 256) return refuse(`--env ${text}`, 'a variable has a name of 1 to 256 characters')
  if (name.startsWith('ISTIO_META_'))
    return refuse(`--env ${text}`, "Istio's agent takes away what begins with ISTIO_META_")
  if (equals < 0) return { name }
  const value = text.slice(equals + 1)
  if (value.length > 2048) return refuse(`--env ${name}`, 'a value has at most 2048 characters')
  return { name, value }
}

export function parsePriority(text: string): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN
  if (value >= -(2 ** 31) && value < 2 ** 31) return value
  return refuse(`--priority ${text}`, 'a whole number of 32 bits')
}

export function parseDigest(text: string): string {
  const digest = text.startsWith('sha256:') ? text : `sha256:${text}`
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return digest
  return refuse(`--digest ${text}`, 'write sha256: and 64 digits or letters from a to f')
}

/** What no form of resource could say, and what the wanted one can't. */
export function checkRequest(request: DeployRequest, form: Form): void {
  const { selector, targets, matches, env, pluginName, imagePullSecret, type, phase, code } = request
  if (selector && targets.length) refuse('--selector, --target-ref', 'a resource has one of them')
  if (targets.length > 16) refuse('--target-ref', 'at most 16')
  if (new Set(env.map(({ name }) => name)).size < env.length) refuse('--env', 'one variable is there twice')
  if (env.length > 256) refuse('--env', 'at most 256')
  if (pluginName !== undefined && (pluginName === '' || pluginName.length > 256))
    refuse('--plugin-name', 'it has 1 to 256 characters')
  if (imagePullSecret !== undefined && (!SUBDOMAIN.test(imagePullSecret) || imagePullSecret.length > 253))
    refuse(`--image-pull-secret ${imagePullSecret}`, 'it is the name of a Secret in the same namespace')
  if (request.allowOnHeadersStopIteration && form !== 'envoy-filter' && form !== 'envoy')
    refuse('--allow-on-headers-stop-iteration', `no ${form} can say it; use --as envoy-filter`)
  if (form === 'envoy-extension-policy') {
    if (!targets.length) refuse('--as envoy-extension-policy', 'name a Gateway or a route by --target-ref')
    if (selector || matches.length) refuse('--selector, --match', 'an EnvoyExtensionPolicy is attached by --target-ref')
    if (phase) refuse(`--phase ${phase}`, 'an EnvoyExtensionPolicy has no phases')
    if (type === 'NETWORK') refuse('--type NETWORK', 'an EnvoyExtensionPolicy has HTTP filters only')
    if (env.some(({ value }) => value !== undefined))
      refuse('--env KEY=VALUE', "an EnvoyExtensionPolicy passes the proxy's own variables only: write --env KEY")
    if (code.kind === 'file') refuse('--code', 'an EnvoyExtensionPolicy takes images and URLs')
  }
  if (form === 'envoy-filter') {
    if (phase && phase !== 'AUTHN')
      refuse(`--phase ${phase}`, 'an EnvoyFilter puts the filter first (AUTHN), or without a phase before the router')
    if (imagePullSecret !== undefined) refuse('--image-pull-secret', 'istiod looks for the secrets of WasmPlugins only')
    if (request.priority !== undefined) refuse('--priority', 'an EnvoyFilter has none for filters')
    if (type === 'NETWORK') refuse('--type NETWORK', 'use --as wasm-plugin')
  }
  if (form === 'envoy') {
    if (selector || targets.length || matches.length || phase || request.priority !== undefined || imagePullSecret)
      refuse('--as envoy', 'selector, targets, match, phase, priority and secrets are for resources of a mesh')
    if (code.kind === 'image') refuse('--as envoy', 'Envoy takes no images: say by --code where the module will be')
  }
}
