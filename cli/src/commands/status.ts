import { Command } from 'commander'
import { type Io } from '../terminal.ts'

export interface StatusFlags {
  namespace?: string
  allNamespaces?: boolean
  proxy?: string[]
  insecure?: boolean
  ca?: string
  context?: string
  kubeconfig?: string
  json?: boolean
}

const examples = `
Examples:
  meshscript status --namespace shop
  meshscript status hello --namespace shop --proxy 127.0.0.1:15000`

/** `meshscript status`: whether deployed filters run. */
export function statusCommand(io: Io): Command {
  return new Command('status')
    .description(
      'Tell whether deployed filters run: whether the registry still has the image, the filter takes its configuration, ' +
        'pods are selected, and what their proxies really run; and if not, why.',
    )
    .argument('[NAME]', 'a WasmPlugin or TrafficExtension (default: all that meshscript manages)')
    .option('-n, --namespace <NAME>', "its namespace (default: that of kubectl's context)")
    .option('-A, --all-namespaces', 'those of all namespaces')
    .option(
      '--proxy <HOST:PORT>',
      "admin interface of a proxy to ask, in place of the selected pods'; may be repeated",
      (text: string, previous: string[] = []) => [...previous, text],
    )
    .option('--insecure', 'speak plain HTTP with the registry')
    .option('--ca <FILE>', "PEM file with the certificate of the registry's authority")
    .option('--context <NAME>', "kubectl's context")
    .option('--kubeconfig <FILE>', "kubectl's configuration")
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
    .action(async (name: string | undefined, flags: StatusFlags) =>
      (await import('../deploy/status/run.ts')).status(name, flags, io),
    )
}
