/** What the specs of the filter's configuration share. Compilers have no part in them: the documents are written as README.md of the filter says. */
import { createHost, type Host, hostName, type HostOptions } from '@meshscript/sdk/testing'
import { expect } from 'vitest'
import filter from '../../filters/authorization/assembly/index.ts?filter'
import { listenerOptions } from './listener.ts'
import { toRequestInit } from './requests.ts'

export const policy = (action: string, rules: object[], more: object = {}) => ({
  name: action.toLowerCase(),
  action,
  ...more,
  rules,
})

/** Rules that each hold for one path, so that one host serves them all. */
export const byPath = (rules: Record<string, { to?: object; [part: string]: unknown }>) =>
  Object.entries(rules).map(([path, { to, ...rest }]) => ({ ...rest, to: [{ paths: [{ prefix: path }], ...to }] }))

/** `settings` are of the configuration, `options` of the host. */
export const start = (policies: object[], settings: object = {}, options: HostOptions = {}): Promise<Host> =>
  createHost({
    wasm: filter,
    rootId: 'authorization',
    configuration: { version: 1, policies, ...settings },
    filterState: ['policy', 'verdict', 'audit', 'dry_run.deny', 'dry_run.allow'].map((name) => `authorization.${name}`),
    ...options,
  })

/** As `start`, behind the listener that tells the direct peer's address and the client's identity. */
export const startBehindListener = (policies: object[], options: HostOptions = {}): Promise<Host> =>
  start(
    policies,
    {},
    {
      ...listenerOptions({ trustDomains: ['*'], strict: false, pathNormalization: 'NONE', jwtRules: [] }),
      ...options,
    },
  )

/** Asks one request after the other; says of each whether it got through. */
export async function expectAllowed(host: Host, requests: readonly [request: object, isAllowed: boolean][]) {
  for (const [request, isAllowed] of requests) {
    const response = await host.request(request)
    expect(response.status, JSON.stringify(request)).toBe(isAllowed ? 200 : 403)
  }
}

/** A request of the listener's table, for the host that runs. */
export const behindListener = (request: Parameters<typeof toRequestInit>[0]) => toRequestInit(request, hostName())!

/** The values of a counter by `verdict policy dry_run`. */
export async function counted(host: Host): Promise<Record<string, number>> {
  const series = Object.entries(await host.metrics()).filter(([name]) =>
    name.startsWith('authorization_requests_total'),
  )
  return Object.fromEntries(
    series.map(([name, value]) => [
      [...name.matchAll(/=\.=(.*?);\.;/g)].map(([, label]) => label).join(' '),
      value as number,
    ]),
  )
}
