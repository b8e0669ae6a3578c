/** The pods that a plugin selects, and their proxies. */

import { get } from 'node:http'
import { UserError } from '../../errors.ts'
import type { Kubectl } from '../kubectl.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import type { Plugin } from './plugin.ts'
import type { Admin } from './proxy.ts'

/** Where a selector is about the pods of all namespaces. */
const ROOT_NAMESPACE = 'istio-system'

interface Pod {
  metadata: { name: string; namespace: string }
  spec?: { containers?: { name: string }[]; initContainers?: { name: string }[] }
  status?: { phase?: string }
}

export interface Selected {
  pods: Pod[]
  finding: Finding
}

/** `named`: proxies are named on the command line, and need not be pods. */
export async function selectedPods(kubectl: Kubectl, plugin: Plugin, named: boolean): Promise<Selected> {
  const { spec, namespace } = plugin
  const targets = [...(spec.targetRefs ?? []), ...(spec.targetRef ? [spec.targetRef] : [])]
  const gateways = targets.filter(({ kind }) => kind === 'Gateway')
  const others = targets.filter(({ kind }) => kind !== 'Gateway')
  if (others.length) {
    const list = others.map(({ kind, name }) => `${kind}/${name}`).join(', ')
    return {
      pods: [],
      finding: warning('pods', `it is attached to ${list}: its proxies are the waypoints`, 'name them by --proxy'),
    }
  }
  const labels = gateways.length
    ? `gateway.networking.k8s.io/gateway-name in (${gateways.map(({ name }) => name).join(',')})`
    : Object.entries(spec.selector?.matchLabels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(',')
  const everywhere = namespace === ROOT_NAMESPACE && !gateways.length
  const args = [...(labels ? ['-l', labels] : []), ...(everywhere ? ['--all-namespaces'] : [])]
  let found: Pod[]
  try {
    found = await kubectl.list<Pod>('pods', ...args)
  } catch (failure) {
    if (!(failure instanceof UserError) || failure.code === 'DEP009') throw failure
    return { pods: [], finding: warning('pods', `they can't be listed: ${failure.message}`) }
  }
  const pods = found.filter(({ status }) => status?.phase === 'Running')
  const withProxy = pods.filter(hasProxy)
  const selected = labels || `all of the namespace ${namespace}`
  if (!withProxy.length) {
    const message = pods.length
      ? `${count(pods.length)} with ${selected}, but none has a proxy of Istio's`
      : `no running pod is selected (${selected})`
    const hint = pods.length
      ? 'label the namespace istio-injection=enabled and restart them'
      : 'compare the labels of the pods'
    return { pods: [], finding: (named ? warning : error)('pods', message, named ? undefined : hint) }
  }
  const names = withProxy.map(({ metadata }) => metadata.name)
  const shown = names.length > 5 ? [...names.slice(0, 5), '…'] : names
  const without = pods.length - withProxy.length
  const rest = without ? `, and ${without} without a proxy` : ''
  return { pods: withProxy, finding: ok('pods', `${count(names.length)}: ${shown.join(', ')}${rest}`) }
}

const count = (number: number) => `${number} pod${number === 1 ? '' : 's'}`

// Newer Istio runs its proxy as an init container that goes on.
const hasProxy = ({ spec }: Pod) =>
  [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(({ name }) => name === 'istio-proxy')

/** The admin interface of a pod's proxy, by its agent. */
export function podAdmin(kubectl: Kubectl, { metadata: { name } }: Pod): Admin {
  return (path) => kubectl.ask(['exec', name, '-c', 'istio-proxy', '--', 'pilot-agent', 'request', 'GET', path])
}

/** The admin interface at an address. Not by `fetch`, which leaves out some ports. */
export function addressAdmin(address: string, signal: AbortSignal | undefined, timeout: number): Admin {
  return (path) =>
    new Promise((resolve, reject) => {
      const request = get(`http://${address}/${path}`, { signal, timeout, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.once('end', () => resolve(text)).once('error', reject)
      })
      request
        .once('timeout', () => request.destroy(new Error(`no answer in ${timeout / 1000} s`)))
        .once('error', reject)
    })
}

/** What the agent last said about a module that it could not use. */
export async function agentComplaint(kubectl: Kubectl, { metadata: { name } }: Pod): Promise<string | undefined> {
  const { code, stdout } = await kubectl.run(['logs', name, '-c', 'istio-proxy', '--tail=5000'])
  if (code !== 0) return undefined
  const line = stdout.split('\n').findLast((line) => line.includes('error in converting the wasm config to local'))
  return line && line.slice(line.indexOf('error in converting'))
}
