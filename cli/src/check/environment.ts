/** Checks of the machine and the cluster. What only some commands need is a warning where it is missing. */

import packageJson from '../../package.json' with { type: 'json' }
import { type Answer, ask, atLeast, parseVersion } from './tool.ts'
import { type Category, type Check, type CheckContext, failure, success, warning } from './types.ts'

/** The oldest Envoy that the tests run on. */
const OLDEST_ENVOY = '1.36.0'
/** The first whose WasmPlugin has everything that `deploy` writes. */
const OLDEST_ISTIO = '1.18.0'

export function environmentChecks(context: CheckContext): Category {
  const checks = [node(), envoy(context), docker(context), ...kubernetes(context)]
  return { categoryName: 'environment', checks }
}

function node(version = process.versions.node): Check {
  const least = packageJson.engines.node.replace('>=', '')
  return {
    code: 'CHK001',
    description: `Node.js is ${least} or later`,
    run: () => {
      if (atLeast(version, least)) return Promise.resolve(success(`Node.js ${version} is new enough`))
      return Promise.resolve(failure(`Node.js is ${version}`, `install Node.js ${least} or later`))
    },
  }
}

function envoy({ io }: CheckContext): Check {
  return {
    code: 'CHK002',
    description: 'Envoy is there',
    late: 'warning',
    async run(signal) {
      const { findEnvoy } = await import('@meshscript/sdk/testing/envoy/find')
      const found = await findEnvoy({ env: io.env })
      if (found?.kind !== 'process') {
        return warning('no Envoy is installed', 'meshscript run and the tests on Envoy download one; or set ENVOY_PATH')
      }
      const answer = await ask(found.path, ['--version'], io.env, signal)
      if (!answer.ok)
        return failure(`${found.path} does not run: ${answer.message}`, 'set ENVOY_PATH to an Envoy that does')
      const version = /version: \S*?\/(\d+\.\d+\.\d+)/.exec(answer.stdout)?.[1] ?? ''
      if (atLeast(version, OLDEST_ENVOY)) return success(`Envoy ${version} is there (${found.path})`)
      return warning(
        `Envoy ${version || 'of an unknown version'} at ${found.path}`,
        `tested are ${OLDEST_ENVOY} and later`,
      )
    },
  }
}

function docker({ io }: CheckContext): Check {
  return {
    code: 'CHK003',
    description: 'the Docker daemon answers',
    late: 'warning',
    async run(signal) {
      const answer = await ask('docker', ['version', '--format', '{{.Server.Version}}'], io.env, signal)
      if (answer.ok) return success(`Docker ${answer.stdout.trim()} answers`)
      if (answer.missing) return warning('no Docker is installed', 'only meshscript run --docker needs it')
      return warning(
        `the Docker daemon does not answer: ${answer.message}`,
        'start it; only meshscript run --docker needs it',
      )
    },
  }
}

/** kubectl, and by it the cluster. A question that depends on an earlier one is not asked when that one failed. */
function kubernetes({ io }: CheckContext): Check[] {
  const kubectl = (args: string, signal: AbortSignal) =>
    ask('kubectl', [...args.split(' '), '--request-timeout=4s'], io.env, signal)
  // Asked once for all checks; each still waits no longer than its own time.
  let server: Promise<Answer> | undefined
  const reach = (signal: AbortSignal) => (server ??= kubectl('version -o json', signal))
  const check = (code: string, description: string, run: (signal: AbortSignal) => ReturnType<Check['run']>): Check => ({
    code,
    description,
    late: 'warning',
    run,
  })
  const inCluster = (code: string, description: string, run: (signal: AbortSignal) => ReturnType<Check['run']>) =>
    check(code, description, async (signal) => (serverVersion(await reach(signal)) ? run(signal) : undefined))
  return [
    check('CHK004', 'kubectl is there', async (signal) => {
      const answer = await kubectl('version --client -o json', signal)
      if (!answer.ok) {
        const why = answer.missing ? 'no kubectl is installed' : `kubectl fails: ${answer.message}`
        return warning(why, 'only meshscript deploy --apply and status need it')
      }
      return success(`kubectl ${gitVersion(answer, 'clientVersion') ?? ''} is there`)
    }),
    check('CHK005', 'the cluster can be reached', async (signal) => {
      const answer = await reach(signal)
      if (!answer.ok && answer.missing) return undefined
      const version = serverVersion(answer)
      if (version) return success(`the cluster can be reached (Kubernetes ${version})`)
      const why = answer.ok ? 'it tells no version' : answer.message
      return warning(
        `the cluster does not answer: ${why}`,
        'compare kubectl config current-context; only deploy --apply and status need it',
      )
    }),
    inCluster('CHK006', "Istio's WasmPlugin is known to the cluster", async (signal) => {
      const answer = await kubectl('get crd wasmplugins.extensions.istio.io -o json', signal)
      if (answer.ok) {
        const { spec } = JSON.parse(answer.stdout) as { spec?: { versions?: { name: string; served: boolean }[] } }
        const served = (spec?.versions ?? []).filter((version) => version.served).map(({ name }) => name)
        return success(`Istio's WasmPlugin is known to the cluster (${served.join(', ')})`)
      }
      const why = /NotFound|not found/.test(answer.message) ? 'the cluster has no WasmPlugin' : answer.message
      return warning(why, 'install Istio, or deploy in another form')
    }),
    inCluster('CHK007', 'istiod runs', async (signal) => {
      const answer = await kubectl('get deployments -A -l app=istiod -o json', signal)
      if (!answer.ok) return warning(`istiod can't be asked for: ${answer.message}`)
      const versions = istioVersions(answer.stdout)
      if (!versions.length)
        return warning('the cluster has no istiod', 'install Istio, or deploy to what there is instead')
      const old = versions.find((version) => parseVersion(version) && !atLeast(version, OLDEST_ISTIO))
      if (old)
        return warning(`istiod is ${old}`, `WasmPlugins by digest with FAIL_RELOAD need ${OLDEST_ISTIO} or later`)
      return success(`istiod ${versions.join(', ')} runs`)
    }),
    inCluster('CHK008', 'this user may apply WasmPlugins', async (signal) => {
      const answer = await kubectl('auth can-i patch wasmplugins.extensions.istio.io', signal)
      // It answers by its exit code, too.
      if (answer.ok && answer.stdout.trim().startsWith('yes')) return success()
      return warning(
        'this user may not apply WasmPlugins in the current namespace',
        'ask for a Role with get, create and patch',
      )
    }),
  ]
}

function gitVersion(answer: Answer, field: 'clientVersion' | 'serverVersion'): string | undefined {
  if (!answer.ok) return undefined
  try {
    return (JSON.parse(answer.stdout) as Record<string, { gitVersion?: string } | undefined>)[field]?.gitVersion
  } catch {
    return undefined
  }
}

const serverVersion = (answer: Answer) => gitVersion(answer, 'serverVersion')

/** By the tags of istiod's images. */
function istioVersions(stdout: string): string[] {
  const { items = [] } = JSON.parse(stdout) as {
    items?: { spec?: { template?: { spec?: { containers?: { image?: string }[] } } } }[]
  }
  const images = items.flatMap(({ spec }) => spec?.template?.spec?.containers ?? []).map(({ image = '' }) => image)
  const tags = images.map(
    (image) => image.replace(/@.*/, '').split('/').at(-1).split(':')[1] ?? 'of an unknown version',
  )
  return [...new Set(tags)]
}
