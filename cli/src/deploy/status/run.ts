/** `meshscript status`, from its options to what it prints. */

import type { StatusFlags } from '../../commands/status.ts'
import { Progress } from '../../commands/progress.ts'
import { NegativeResult, UsageError, UserError } from '../../errors.ts'
import { formatReference } from '../../oci/reference.ts'
import { readSettings } from '../../settings.ts'
import { colorsFor, type Io } from '../../terminal.ts'
import { Kubectl } from '../kubectl.ts'
import { checkName, checkNamespace } from '../request.ts'
import { connectionOf } from '../run.ts'
import { error, type Finding, warning } from './finding.ts'
import { imageFindings } from './image.ts'
import { findPlugins, type Plugin } from './plugin.ts'
import { addressAdmin, agentComplaint, podAdmin, selectedPods } from './pods.ts'
import { type Admin, inspectProxy, type ProxyReport } from './proxy.ts'
import { renderStatus } from './render.ts'

/** More proxies of one plugin are not asked: they mostly say the same. */
const MAX_PODS = 20
/** How long an answer may take, in milliseconds. */
const TIMEOUT = 10_000

export interface PluginStatus {
  kind: string
  namespace: string
  name: string
  url: string
  digest?: string
  findings: Finding[]
  proxies: ({ name: string } & Omit<ProxyReport, 'finding'>)[]
}

export async function status(name: string | undefined, flags: StatusFlags, io: Io): Promise<void> {
  const settings = readSettings(io.cwd)
  const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? settings.deploy?.namespace)
  if (namespace !== undefined) checkNamespace(namespace)
  if (name !== undefined) checkName(name)
  for (const address of flags.proxy ?? []) checkAddress(address)
  const progress = new Progress(io)
  progress.show('asking the cluster')
  const options = { context: flags.context, kubeconfig: flags.kubeconfig, timeout: TIMEOUT }
  const plugins = await findPlugins(new Kubectl(io, { ...options, namespace }), name, flags.allNamespaces === true)
  const all: PluginStatus[] = []
  for (const plugin of plugins) {
    progress.show(`${plugin.kind} ${plugin.namespace}/${plugin.name}`)
    const image = await imageFindings(plugin, (reference) => connectionOf(reference, flags, settings, io), io.signal)
    const kubectl = (namespace: string) => new Kubectl(io, { ...options, namespace })
    const proxies = await proxiesOf(plugin, image, kubectl, flags, io)
    const { kind, namespace, name, spec, reference, digest } = plugin
    const url = reference ? formatReference({ ...reference, digest: undefined }) : (spec.url ?? '')
    all.push({
      kind,
      namespace,
      name,
      url,
      digest,
      findings: [...image, ...proxies.findings],
      proxies: proxies.reports,
    })
  }
  progress.clear()
  const healthy = all.every(({ findings }) => findings.every(({ level }) => level !== 'error'))
  io.stdout.write(
    flags.json
      ? `${JSON.stringify({ version: 1, healthy, plugins: all }, null, 2)}\n`
      : renderStatus(all, colorsFor(io.stdout, io.env)),
  )
  if (!healthy) throw new NegativeResult()
}

function checkAddress(address: string): void {
  if (!/^(\[[0-9a-fA-F:.]+\]|[^\s/:?#]+):\d{1,5}$/.test(address))
    throw new UsageError(`--proxy ${address}: write HOST:PORT of its admin interface`, 'DEP001')
}

async function proxiesOf(
  plugin: Plugin,
  image: readonly Finding[],
  kubectlIn: (namespace: string) => Kubectl,
  { proxy: addresses = [] }: StatusFlags,
  io: Io,
): Promise<{ findings: Finding[]; reports: PluginStatus['proxies'] }> {
  const { pods, finding } = await selectedPods(kubectlIn(plugin.namespace), plugin, addresses.length > 0)
  const findings = [finding]
  const reports: PluginStatus['proxies'] = []
  const inspect = async (subject: string, admin: Admin, complaint?: () => Promise<string | undefined>) => {
    const report = await ask(
      subject,
      addresses.length > 0,
      () => inspectProxy(subject, admin, plugin, image),
      io.signal,
    )
    if ('level' in report) return void findings.push(report)
    const { finding, ...rest } = report
    const said = complaint && (rest.state === 'denies' || rest.state === 'allows') ? await complaint() : undefined
    findings.push(said === undefined ? finding : { ...finding, message: `${finding.message}\nthe agent says: ${said}` })
    reports.push({ name: subject, ...rest })
  }
  if (addresses.length) {
    for (const address of addresses) await inspect(address, addressAdmin(address, io.signal, TIMEOUT))
    return { findings, reports }
  }
  for (const pod of pods.slice(0, MAX_PODS)) {
    const kubectl = kubectlIn(pod.metadata.namespace)
    await inspect(pod.metadata.name, podAdmin(kubectl, pod), () => agentComplaint(kubectl, pod))
  }
  if (pods.length > MAX_PODS) findings.push(warning('pods', `${pods.length - MAX_PODS} more were not asked`))
  return { findings, reports }
}

/** A proxy that does not answer is no verdict on the filter; but who names one wants an answer. */
async function ask(
  subject: string,
  named: boolean,
  question: () => Promise<ProxyReport>,
  signal: AbortSignal | undefined,
): Promise<ProxyReport | Finding> {
  try {
    return await question()
  } catch (failure) {
    if (signal?.aborted) throw new UserError('stopped', 'DEP009')
    const message = `it does not answer: ${(failure as Error).message}`
    if (named) return error(subject, message, 'give the address of its admin interface, mostly port 15000')
    return warning(subject, message, 'name the address of its admin interface by --proxy')
  }
}
