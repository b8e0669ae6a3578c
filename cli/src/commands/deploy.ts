import { Command, Option } from 'commander'
import { type Form, failStrategies, forms } from '../deploy/request.ts'
import { UsageError } from '../errors.ts'
import { type Io } from '../terminal.ts'

export interface DeployFlags {
  as: Form
  name?: string
  namespace?: string
  config?: string
  phase?: string
  priority?: string
  selector?: string
  targetRef?: string[]
  match?: string[]
  failStrategy?: (typeof failStrategies)[number]
  pluginName?: string
  imagePullSecret?: string
  env?: string[]
  type: 'HTTP' | 'NETWORK'
  allowOnHeadersStopIteration?: boolean
  code?: string
  digest?: string
  insecure?: boolean
  ca?: string
  output?: string
  apply?: boolean
  forceConflicts?: boolean
  diff?: boolean
  rollback?: boolean
  preflight: boolean
  timeout?: number
  context?: string
  kubeconfig?: string
  json?: boolean
}

const examples = `
Examples:
  meshscript deploy oci://ghcr.io/acme/hello:v1 --namespace shop --selector app=cart --config config.json -o hello.yaml
  meshscript deploy oci://ghcr.io/acme/hello:v2 --namespace shop --selector app=cart --config config.json --apply
  meshscript deploy --rollback --name hello --namespace shop
  meshscript deploy build/hello.wasm --as envoy --config config.json`

/** `meshscript deploy`: an image to the proxies of a mesh. */
export function deployCommand(io: Io): Command {
  return new Command('deploy')
    .description(
      'Write the resource by which a mesh loads a filter, pinned to the digest of its image, or apply it with kubectl.\n' +
        'First the image is pulled, and the filter started with its configuration in the Node host: what it refuses ' +
        'never gets to a proxy.\n' +
        'The default image, configuration and options are those of meshscript.json.',
    )
    .argument('[IMAGE]', 'oci://REGISTRY/REPOSITORY[:TAG][@sha256:…]; for Envoy also a .wasm file, or https://…')
    .addOption(new Option('--as <FORM>', 'what is written').choices(forms).default('wasm-plugin'))
    .option('--name <NAME>', 'name of the resource (default: the last part of the repository)')
    .option('-n, --namespace <NAME>', "its namespace (default: that of kubectl's context)")
    .option('--config <FILE>', 'configuration of the filter, an object in JSON or YAML')
    .addOption(
      new Option('--phase <PHASE>', "before which of Istio's own filters it comes").choices([
        'AUTHN',
        'AUTHZ',
        'STATS',
      ]),
    )
    .option('--priority <NUMBER>', 'order within the phase: higher comes first')
    .option('--selector <LABELS>', 'workloads that get it: KEY=VALUE,… (default: all of the namespace)')
    .option('--target-ref <KIND/NAME>', 'attach it to a Gateway, Service, …; may be repeated', add)
    .option('--match <MODE[:PORT,…]>', 'only this traffic: CLIENT, SERVER or CLIENT_AND_SERVER; may be repeated', add)
    .addOption(
      new Option(
        '--fail-strategy <STRATEGY>',
        'what becomes of requests when the filter fails (default: FAIL_RELOAD)',
      ).choices(failStrategies),
    )
    .option('--plugin-name <ROOT_ID>', 'root id of the filter, where a module has several')
    .option('--image-pull-secret <NAME>', 'Secret with the credentials of the registry')
    .option('--env <KEY[=VALUE]>', "variable for the filter; without a value the proxy's own; may be repeated", add)
    .addOption(
      new Option('--type <TYPE>', 'filter for HTTP, or for bytes of TCP').choices(['HTTP', 'NETWORK']).default('HTTP'),
    )
    .option('--allow-on-headers-stop-iteration', "Envoy's setting of this name (EnvoyFilter and Envoy only)")
    .option('--code <PATH|URL>', 'where the proxies get the module, if not from the image (EnvoyFilter and Envoy only)')
    .option('--digest <DIGEST>', 'digest that the image must have; without --apply nothing is asked, for offline use')
    .option('--insecure', 'speak plain HTTP with the registry')
    .option('--ca <FILE>', "PEM file with the certificate of the registry's authority")
    .option('-o, --output <FILE>', 'write the resource to a file')
    .option('--apply', 'apply it with kubectl')
    .option('--force-conflicts', 'with --apply: take over fields that another field manager owns')
    .option('--diff', 'show what --apply would change')
    .option('--rollback', 'bring back what was before the last --apply')
    .option('--no-preflight', 'do not try the module and its configuration first')
    .option('--timeout <DURATION>', 'how long to wait for the cluster, as 500ms or 2m (default: 60s)', parseTimeout)
    .option('--context <NAME>', "kubectl's context")
    .option('--kubeconfig <FILE>', "kubectl's configuration")
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
    .action(async (image: string | undefined, flags: DeployFlags) =>
      (await import('../deploy/run.ts')).deploy(image, flags, io),
    )
}

function add(text: string, previous: string[] = []): string[] {
  return [...previous, text]
}

/** In milliseconds. */
export const TIMEOUT = 60_000

/** In milliseconds. */
export function parseTimeout(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? []
  const value = Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms' | 's' | 'm']
  if (number === undefined || value <= 0)
    throw new UsageError(`--timeout ${text}: write a time as 500ms, 60s or 2m`, 'DEP001')
  return value
}
