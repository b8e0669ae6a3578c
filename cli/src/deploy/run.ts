/** `meshscript deploy`, from its options to what it prints. */

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type DeployFlags, TIMEOUT } from '../commands/deploy.ts'
import { Progress } from '../commands/progress.ts'
import { displayPath } from '../diagnostics.ts'
import { NegativeResult, UsageError, UserError } from '../errors.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import { readSettings, type Settings } from '../settings.ts'
import { type Io } from '../terminal.ts'
import { type Acceptance, apply, type Applied, diff, rollback, waitForStatus } from './apply.ts'
import { readConfiguration } from './configuration.ts'
import { Kubectl } from './kubectl.ts'
import {
  checkLabels,
  checkName,
  checkNamespace,
  checkRequest,
  defaultName,
  type DeployRequest,
  type Form,
  parseDigest,
  parseMatch,
  parsePriority,
  parseSelector,
  parseTarget,
  parseVariable,
} from './request.ts'
import { emit, type Emitted, type Resource } from './resources.ts'
import { type DeploySource, findSource } from './source.ts'
import { refuseInvalid } from './validate.ts'

export async function deploy(image: string | undefined, flags: DeployFlags, io: Io): Promise<void> {
  checkActions(flags)
  const settings = readSettings(io.cwd)
  const { deploy: defaults = {} } = settings
  const namespace = flags.namespace ?? defaults.namespace
  if (namespace !== undefined) checkNamespace(namespace)
  const kubectl = new Kubectl(io, { ...flags, namespace, timeout: flags.timeout ?? TIMEOUT })
  if (flags.rollback) return rollBack(image, namespace, kubectl, settings, flags, io)

  const text = image ?? settings.registry
  if (text === undefined)
    throw new UsageError('which image? Name oci://REGISTRY/REPOSITORY:TAG, or set "registry" in meshscript.json')
  // All that is wrong with the options is said before anything is asked.
  const rest = requestOf(flags, settings, io)
  const digest = flags.digest === undefined ? undefined : parseDigest(flags.digest)
  const online = flags.apply === true || digest === undefined
  const progress = new Progress(io)
  progress.show('pulling the image')
  const source = await findSource({
    text,
    code: flags.code,
    digest,
    form: flags.as,
    load: (flags.preflight && online) || (flags.code !== undefined && online),
    online: online && (flags.preflight || digest === undefined),
    cwd: io.cwd,
    env: io.env,
    registry: (reference) => connectionOf(reference, flags, settings, io),
    signal: io.signal,
  })
  const name = checkName(flags.name ?? defaultName(source.repository))
  const request: DeployRequest = { ...rest, name, namespace, code: source.code }
  checkRequest(request, flags.as)
  const emitted = emit(request, flags.as)
  if (emitted.resource) await refuseInvalid(emitted.resource)
  const tried = await preflightOf(source, request, flags, io)
  progress.clear()
  const warnings = [...emitted.warnings]
  if (flags.preflight && !tried) warnings.push('the module was not loaded, and not tried: without --digest it is')

  if (flags.diff) return showDiff(kubectl, emitted.resource!, flags, io)
  if (flags.output !== undefined) write(resolve(io.cwd, flags.output), emitted.yaml, io)
  let applied: Applied | undefined
  let acceptance: Acceptance | undefined
  if (flags.apply) {
    applied = await apply(kubectl, emitted.resource!, flags.forceConflicts)
    warnings.push(...applied.warnings)
    acceptance = await waitForStatus(kubectl, emitted.resource!, flags.timeout ?? TIMEOUT, io.signal)
    if (acceptance !== 'no status' && !acceptance.accepted)
      throw new UserError(`${applied.name} was applied, but is not accepted: ${acceptance.message}`, 'DEP038')
  }
  print({ source, request, emitted, warnings, tried, applied, acceptance }, flags, io)
}

function checkActions({ apply, diff, rollback, as, output, forceConflicts }: DeployFlags): void {
  const actions = [apply && '--apply', diff && '--diff', rollback && '--rollback'].filter(Boolean)
  if (actions.length > 1) throw new UsageError(`${actions.join(' and ')} exclude each other`, 'DEP001')
  if (actions.length && as === 'envoy')
    throw new UsageError(`${actions[0]} is for resources of a mesh; --as envoy is none`, 'DEP001')
  if (forceConflicts && !apply) throw new UsageError('--force-conflicts has a meaning with --apply only', 'DEP001')
  if (output !== undefined && (diff || rollback)) throw new UsageError(`-o has no meaning with ${actions[0]}`, 'DEP001')
}

function requestOf(flags: DeployFlags, settings: Settings, io: Io): Omit<DeployRequest, 'name' | 'namespace' | 'code'> {
  const { deploy: defaults = {}, configuration: defaultConfig } = settings
  const form = flags.as
  const inMesh = form !== 'envoy'
  const targets = (flags.targetRef ?? []).map((text) => parseTarget(text, form))
  const ownSelector = flags.selector === undefined ? undefined : parseSelector(flags.selector)
  // What a project says of its workloads is not about a target that is named here.
  const defaultSelector = inMesh && !targets.length && defaults.selector ? checkLabels(defaults.selector) : undefined
  const defaultPhase = form === 'wasm-plugin' || form === 'traffic-extension' ? defaults.phase : undefined
  const phase = flags.phase ?? defaultPhase
  const config = flags.config ?? defaultConfig
  return {
    configuration: config === undefined ? undefined : readConfiguration(config, io.cwd),
    phase: phase === 'UNSPECIFIED_PHASE' ? undefined : (phase as DeployRequest['phase']),
    priority: flags.priority === undefined ? defaultPhase && defaults.priority : parsePriority(flags.priority),
    selector: ownSelector ?? defaultSelector,
    targets,
    matches: (flags.match ?? []).map(parseMatch),
    failStrategy: flags.failStrategy ?? defaults.failStrategy ?? 'FAIL_RELOAD',
    pluginName: flags.pluginName ?? defaults.pluginName,
    imagePullSecret: flags.imagePullSecret,
    env: (flags.env ?? []).map(parseVariable),
    type: flags.type,
    allowOnHeadersStopIteration: flags.allowOnHeadersStopIteration,
  }
}

export function connectionOf(
  reference: Reference,
  flags: { insecure?: boolean; ca?: string },
  settings: Settings,
  io: Io,
) {
  // The setting is about the registry beside it.
  const own = settings.registry !== undefined && parseReference(settings.registry).registry === reference.registry
  const insecure = flags.insecure ?? (own ? settings.insecure : undefined)
  return { insecure, ca: flags.ca && resolve(io.cwd, flags.ca), env: io.env, signal: io.signal }
}

/** Whether the module was tried. Throws with the filter's own words where it refuses. */
async function preflightOf(source: DeploySource, request: DeployRequest, flags: DeployFlags, io: Io): Promise<boolean> {
  if (!flags.preflight || !source.module) return false
  const { guardedPreflight } = await import('./guarded.ts')
  const result = await guardedPreflight(preflightOptions(source.module, request), undefined, io.signal)
  if (result.ok) return true
  for (const line of result.logs) io.stderr.write(`  ${line}\n`)
  throw new UserError(`${source.name}: ${result.message}`, result.code)
}

export function preflightOptions(
  module: Uint8Array,
  { configuration, pluginName, type, env }: Pick<DeployRequest, 'configuration' | 'pluginName' | 'type' | 'env'>,
) {
  const own = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]))
  // Istio passes an empty object on as none.
  const given = configuration && Object.keys(configuration).length > 0 ? JSON.stringify(configuration) : undefined
  return {
    module,
    ...(given !== undefined && { configuration: given }),
    ...(pluginName !== undefined && { rootId: pluginName }),
    ...(type === 'NETWORK' && { type: 'network' as const }),
    ...(own.length > 0 && { environment: Object.fromEntries(own) }),
  }
}

async function showDiff(kubectl: Kubectl, resource: Resource, { json }: DeployFlags, io: Io): Promise<void> {
  const text = await diff(kubectl, resource)
  const differs = text !== ''
  if (json) io.stdout.write(`${JSON.stringify({ version: 1, differs, diff: text }, null, 2)}\n`)
  else io.stdout.write(text)
  if (differs) throw new NegativeResult()
}

const apiVersions: Record<Exclude<Form, 'envoy'>, Pick<Resource, 'kind' | 'apiVersion'>> = {
  'wasm-plugin': { kind: 'WasmPlugin', apiVersion: 'extensions.istio.io/v1alpha1' },
  'traffic-extension': { kind: 'TrafficExtension', apiVersion: 'extensions.istio.io/v1alpha1' },
  'envoy-extension-policy': { kind: 'EnvoyExtensionPolicy', apiVersion: 'gateway.envoyproxy.io/v1alpha1' },
  'envoy-filter': { kind: 'EnvoyFilter', apiVersion: 'networking.istio.io/v1alpha3' },
}

async function rollBack(
  image: string | undefined,
  namespace: string | undefined,
  kubectl: Kubectl,
  settings: Settings,
  flags: DeployFlags,
  io: Io,
): Promise<void> {
  const text = image ?? settings.registry
  const named = flags.name
  if (named === undefined && text === undefined) throw new UsageError('which one? Write --name NAME', 'DEP001')
  const name = checkName(named ?? defaultName(parseReference(text!).repository))
  const type = apiVersions[flags.as as Exclude<Form, 'envoy'>]
  const done = await rollback(kubectl, type, name)
  const acceptance = await waitForStatus(kubectl, done.resource, flags.timeout ?? TIMEOUT, io.signal)
  const { spec } = done.resource
  const url = (spec['wasm'] as { url?: string } | undefined)?.url ?? spec['url']
  if (flags.json) {
    const report = { version: 1, ...type, name, namespace, applied: 'changed', resource: done.resource }
    io.stdout.write(`${JSON.stringify({ ...report, warnings: done.warnings, status: acceptance }, null, 2)}\n`)
    return
  }
  for (const warning of done.warnings) io.stderr.write(`warning: ${warning}\n`)
  io.stdout.write(`${done.name} rolled back${typeof url === 'string' ? ` to ${url}` : ''}\n`)
}

interface Outcome {
  source: DeploySource
  request: DeployRequest
  emitted: Emitted
  warnings: string[]
  tried: boolean
  applied?: Applied
  acceptance?: Acceptance
}

function print(outcome: Outcome, flags: DeployFlags, io: Io): void {
  const { request, emitted, warnings, tried, applied, acceptance } = outcome
  const { code, name, namespace } = request
  if (flags.json) {
    const report = {
      version: 1,
      form: flags.as,
      name,
      ...(namespace && { namespace }),
      image: outcome.source.name,
      ...(code.kind === 'image' && { digest: code.digest }),
      ...(code.kind === 'url' && { sha256: code.sha256 }),
      preflight: tried ? 'passed' : 'skipped',
      warnings,
      ...(flags.output !== undefined && { output: displayPath(resolve(io.cwd, flags.output), io.cwd) }),
      ...(applied && { applied: applied.change, status: acceptance }),
      ...(emitted.resource ? { resource: emitted.resource } : { yaml: emitted.yaml }),
    }
    io.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    return
  }
  for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`)
  if (tried) io.stderr.write('the filter starts, and takes its configuration\n')
  if (flags.output !== undefined) io.stdout.write(`${displayPath(resolve(io.cwd, flags.output), io.cwd)}\n`)
  if (applied) {
    io.stdout.write(`${applied.name} ${applied.change}\n`)
    if (acceptance === 'no status')
      io.stderr.write('the control plane writes no status; meshscript status asks the proxies themselves\n')
    else if (acceptance) io.stderr.write(`accepted: ${acceptance.message}\n`)
  }
  if (flags.output === undefined && !applied) io.stdout.write(emitted.yaml)
}

function write(file: string, text: string, io: Io): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UserError(`${displayPath(file, io.cwd)} can't be written: ${(error as Error).message}`, 'DEP002')
  }
}
