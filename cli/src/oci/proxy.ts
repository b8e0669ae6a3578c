/** Which proxy requests go through: chosen by the environment as Go's programs (Docker, skopeo, kubectl) do, golang.org/x/net/http/httpproxy. */

import { BlockList, isIP } from 'node:net'
import { UserError } from '../errors.ts'

export interface Proxy {
  url: URL
  /** What names it, e.g. `HTTPS_PROXY`. */
  variable: string
}

type Environment = Record<string, string | undefined>

/** Undefined: none. Throws where the variable names nothing that can be used. */
export function proxyFor(url: URL, env: Environment): Proxy | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const variable = [name, name.toLowerCase()].find((each) => env[each])
  if (variable === undefined || isExempt(url, env['NO_PROXY'] || env['no_proxy'] || '')) return undefined
  const text = env[variable]!
  const full = text.includes('://') ? text : `http://${text}`
  if (!URL.canParse(full)) throw new UserError(`${variable} is no URL; write http://HOST:PORT`, 'OCI011')
  const proxy = new URL(full)
  if (!/^https?:$/.test(proxy.protocol)) {
    throw new UserError(`${variable} names a proxy by ${proxy.protocol}//; http:// and https:// can be used`, 'OCI011')
  }
  return { url: proxy, variable }
}

/** For people: without its password. */
export const nameOf = ({ url, variable }: Proxy): string => `the proxy ${url.origin} (${variable})`

/** Value of `proxy-authorization`; undefined where the URL has no user. */
export function authorizationFor({ url }: Proxy): string | undefined {
  if (!url.username) return undefined
  const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return `Basic ${Buffer.from(text).toString('base64')}`
}

/** Names of this machine, and what `list` says: names with all below them, `.NAME` for those below only, addresses, blocks, each with a port or without, and `*`. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  if (host === 'localhost' || contains('127.0.0.0/8', host) || host === '::1') return true
  return list
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .some((entry) => entry === '*' || (entry !== '' && matches(entry, host, port)))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return contains(entry, host)
  const [, name = entry, ofPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  if (ofPort !== undefined && ofPort !== port) return false
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*\./, '.')
  if (isIP(bare)) return bare === host
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`)
}

/** Whether a host is an address of a block. What is no block has none. */
function contains(block: string, host: string): boolean {
  const [, address = '', bits = ''] = /^(.*)\/(\d{1,3})$/.exec(block) ?? []
  const version = isIP(address)
  if (version === 0 || version !== isIP(host) || Number(bits) > (version === 4 ? 32 : 128)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const blocks = new BlockList()
  blocks.addSubnet(address, Number(bits), family)
  return blocks.check(host, family)
}
