/** The filters, one by one: each makes a test of flows from the option's value, or throws a RangeError that says what is wrong. */

import { BlockList, isIP } from 'node:net'
import type { Endpoint, Flow } from './flow.ts'
import { parseSelector } from './labels.ts'
import { EventType, eventTypes, namesOf, reservedIdentities, tracePoints } from './names.ts'
import { globPattern, parseRegex } from './patterns.ts'
import { pathOf } from './url.ts'

/** Whether a flow is meant. */
export type Predicate = (flow: Flow) => boolean

type Side = 'source' | 'destination'

/** Those with one parameter are about the flow, those with two about one of its ends. */
export const predicates: Readonly<Record<string, (value: string, side: Side) => Predicate>> = {
  uuid: (value: string) => (flow) => flow.uuid === value,

  'trace-id': (value: string) => (flow) => flow.traceId === value,

  verdict: (value: string) => {
    const name = oneOf(value, namesOf('verdict'))
    return (flow) => flow.verdict === name
  },

  'drop-reason-desc': (value: string) => {
    const name = oneOf(value, namesOf('dropReason'), 'a reason such as POLICY_DENIED')
    return (flow) => flow.verdict === 'DROPPED' && flow.dropReason === name
  },

  'traffic-direction': (value: string) => {
    const name = oneOf(value.toUpperCase(), ['INGRESS', 'EGRESS'], 'ingress or egress')
    return (flow) => flow.direction === name
  },

  type: (value: string) => {
    const [name = '', sub] = value.split(/:(.*)/s)
    const type = eventTypes.get(name) ?? numberOf(name)
    if (type === undefined) throw new RangeError(`expected a number or one of ${[...eventTypes.keys()].join(', ')}`)
    if (sub === undefined) return ({ event }) => event !== undefined && (type === 0 || event.type === type)
    const point = type === EventType.trace ? tracePoints.indexOf(sub) : -1
    const subtype = point >= 0 ? point : numberOf(sub)
    if (subtype === undefined)
      throw new RangeError(`a subtype is a number, or for trace one of ${tracePoints.join(', ')}`)
    return ({ event }) => event !== undefined && (type === 0 || event.type === type) && event.subtype === subtype
  },

  protocol: (value: string) => {
    const name = oneOf(value.toLowerCase(), PROTOCOLS)
    if (name === 'icmp') return ({ l4 }) => l4?.protocol.startsWith('ICMP') === true
    if (name === 'http' || name === 'dns' || name === 'kafka') return ({ l7 }) => l7?.[name] !== undefined
    return ({ l4 }) => l4?.protocol.toLowerCase() === name
  },

  'tcp-flags': (value: string) => {
    const wanted = value.split(',').map((flag) => oneOf(flag.toUpperCase(), FLAGS, `flags such as syn,ack`))
    return ({ l4 }) => l4?.protocol === 'TCP' && !!l4.flags && wanted.every((flag) => l4.flags!.includes(flag))
  },

  'http-status': (value: string) => {
    if (!/^[1-5](\d\d|\d?\+)$/.test(value))
      throw new RangeError('expected a status such as 404, or the beginning of one: 5+, 40+')
    const start = value.replace('+', '')
    return ({ l7 }) => !!l7?.http?.code && String(l7.http.code).padStart(3, '0').startsWith(start)
  },

  'http-method': (value: string) => {
    const method = value.toLowerCase()
    return ({ l7 }) => !!l7?.http?.method && l7.http.method.toLowerCase() === method
  },

  'http-path': (value: string) => {
    const regex = parseRegex(value)
    return ({ l7 }) => {
      const path = l7?.http?.url ? pathOf(l7.http.url) : undefined
      return path !== undefined && regex.test(path)
    }
  },

  'http-url': (value: string) => {
    const regex = parseRegex(value)
    return ({ l7 }) => !!l7?.http?.url && regex.test(l7.http.url)
  },

  'http-header': (value: string) => {
    const colon = value.indexOf(':')
    if (colon < 0) throw new RangeError('expected NAME:VALUE')
    const [name, wanted] = [value.slice(0, colon), value.slice(colon + 1)]
    return ({ l7 }) => l7?.http?.headers.some((header) => header.key === name && header.value === wanted) === true
  },

  'node-name': (value: string) => {
    const parts = value.split('/')
    if (value === '' || parts.length > 2) throw new RangeError('expected [CLUSTER/]NODE; * stands for any text')
    const [cluster = '', node = ''] = parts.length === 1 ? ['', value] : parts
    const regex = new RegExp(`^${globPattern(cluster || undefined)}/${globPattern(node || undefined)}$`)
    return (flow) => flow.node !== '' && regex.test(flow.node.includes('/') ? flow.node : `default/${flow.node}`)
  },

  'node-label': (value: string) => {
    const selector = parseSelector(value)
    return (flow) => selector(flow.nodeLabels)
  },

  'ip-version': (value: string) => {
    const [, digit] = /^(?:v|ip|ipv)?([46])$/i.exec(value) ?? []
    if (!digit && value !== 'none') throw new RangeError('expected v4, v6 or none')
    return isVersion(digit ? `IPv${digit}` : 'IP_NOT_USED')
  },
  ipv4: (_: string) => isVersion('IPv4'),
  ipv6: (_: string) => isVersion('IPv6'),

  encrypted: (_: string) => (flow) => flow.ip?.encrypted === true,
  unencrypted: (_: string) => (flow) => !flow.ip?.encrypted,

  ip: (value: string, side: Side) => {
    const has = rangeOf(value)
    return ({ ip }) => !!ip?.[side] && has(ip[side])
  },

  port: (value: string, side: Side) => {
    const port = numberOf(value)
    if (port === undefined || port > 65_535) throw new RangeError('expected a port')
    return ({ l4 }) => l4?.[side] === port
  },

  label: (value: string, side: Side) => {
    const selector = parseSelector(value)
    return (flow) => selector(flow[side]?.labels ?? [])
  },

  identity: (value: string, side: Side) => {
    const named = reservedIdentities.indexOf(value)
    const number = named > 0 ? named : identityOf(value)
    if (number === undefined)
      throw new RangeError(`expected a number or one of ${reservedIdentities.slice(1).join(', ')}`)
    return (flow) => flow[side]?.identity === number
  },

  workload: (value: string, side: Side) => {
    const slash = value.indexOf('/')
    const [kind, name] = [slash < 0 ? '' : value.slice(0, slash), value.slice(slash + 1)]
    const matches = (workload: Endpoint['workloads'][number]) =>
      (!name || workload.name === name) && (!kind || workload.kind === kind)
    return (flow) => flow[side]?.workloads.some(matches) === true
  },

  cluster: (value: string, side: Side) => {
    if (value === '') throw new RangeError('expected a name')
    return (flow) => (flow[side]?.cluster ?? '') === value
  },

  fqdn: (value: string, side: Side) => {
    const name = value.trim().replace(/\.$/, '').toLowerCase()
    if (name === '' || name.endsWith('.')) throw new RangeError('expected a domain name; * stands for any text')
    const regex = new RegExp(`^${globPattern(name)}$`)
    return (flow) => flow[`${side}Names`].some((each) => regex.test(each))
  },
}

const PROTOCOLS = ['icmp', 'icmpv4', 'icmpv6', 'sctp', 'tcp', 'udp', 'vrrp', 'igmp', 'dns', 'http', 'kafka']
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS']

function oneOf(value: string, names: readonly string[], wanted = `one of ${names.join(', ')}`): string {
  if (!names.includes(value)) throw new RangeError(`expected ${wanted}`)
  return value
}

const numberOf = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined)

/** Also hexadecimal, octal and binary, as Go reads them. */
function identityOf(text: string): number | undefined {
  const number = /^(\d+|0x[\da-f]+|0o?[0-7]+|0b[01]+)$/i.test(text) ? Number(text.replace(/^0(?=[0-7])/, '0o')) : NaN
  return number <= 0xffff_ffff ? number : undefined
}

const isVersion = (version: string) => (flow: Flow) => (flow.ip?.version ?? 'IP_NOT_USED') === version

/** An address as it is written, or a range. */
function rangeOf(value: string): (address: string) => boolean {
  const [address = '', bits] = value.split('/')
  const version = isIP(address)
  const wrong = () => new RangeError('expected an IP address, or a range such as 10.0.0.0/8')
  if (!version || value.split('/').length > 2) throw wrong()
  if (bits === undefined) return (other) => other === value
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity
  if (length > (version === 4 ? 32 : 128)) throw wrong()
  const list = new BlockList()
  const family = version === 4 ? 'ipv4' : 'ipv6'
  list.addSubnet(address, length, family)
  return (other) => isIP(other) === version && list.check(other, family)
}
