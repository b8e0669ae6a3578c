/** Names of hosts, as Istio's resources have them. */
import { isIP } from 'node:net'

const LABEL = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/

/** A label of a DNS name (RFC 1123). */
export const isLabel = (text: string): boolean => text.length <= 63 && LABEL.test(text)

/** What is wrong with a host, `*` or `*.DOMAIN` among them; undefined when nothing is. */
export function checkHost(host: string): string | undefined {
  if (isIP(host)) return undefined
  const [first = '', ...rest] = host.replace(/\.$/, '').split('.')
  const isFirst = first === '*' || isLabel(first.replace(/^\*-?/, 'x'))
  if (host.length <= 255 && isFirst && rest.every(isLabel)) return undefined
  return `${JSON.stringify(host)} is not a host`
}

/** The full name of a host that is named in a namespace: Istio takes a name without dots as a Service there. */
export function fullName(host: string, namespace: string, domain = 'cluster.local'): string {
  return host.includes('.') || host === '*' || isIP(host) ? host : `${host}.${namespace}.svc.${domain}`
}
