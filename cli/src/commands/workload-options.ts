/** Options that say which workload policies are compiled for. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { CompileOptions, Direction, Workload } from '../compile/index.ts'
import { gatewayLabel, type ObjectName } from '../compile/workload.ts'

export interface WorkloadFlags {
  workload: ObjectName
  labels?: Record<string, string>
  serviceAccount?: string
  gateway?: { namespace?: string; name: string }
  waypoint?: boolean
  service?: ObjectName[]
  serviceEntry?: ObjectName[]
  direction: Direction
}

/** `what` is what the workload is to the command. */
export function addWorkloadOptions(command: Command, what: string): Command {
  return command
    .requiredOption('--workload <NAMESPACE/NAME>', what, (value) => parseObjectName(value))
    .option(
      '--labels <KEY=VALUE,...>',
      'labels of its pods, for the selectors of policies; may be repeated',
      parseLabels,
    )
    .option('--service-account <NAME>', 'service account of its pods, for policies that name the destination so')
    .option(
      '--gateway <[NAMESPACE/]NAME>',
      'it is the proxy of this Gateway: for policies with targetRefs, and for the routes of the Gateway (routing, fault)',
      parseGateway,
    )
    .option('--waypoint', 'it is a waypoint, to which only policies with targetRefs apply')
    .option('--service <NAMESPACE/NAME>', 'a Service behind the waypoint; may be repeated', collectNames)
    .option('--service-entry <NAMESPACE/NAME>', 'a ServiceEntry behind the waypoint; may be repeated', collectNames)
    .addOption(
      new Option('--direction <WHICH>', 'requests to the workload, or requests that it makes')
        .choices(['inbound', 'outbound'])
        .default('inbound'),
    )
}

export function compileOptionsOf(flags: WorkloadFlags): Pick<CompileOptions, 'workload' | 'direction'> {
  const { serviceAccount, service: services, serviceEntry: serviceEntries, direction } = flags
  const gateway = gatewayOf(flags)
  const workload: Workload = {
    ...flags.workload,
    // The proxy of a Gateway of the Gateway API is in its namespace.
    labels: {
      ...flags.labels,
      ...(gateway?.namespace === flags.workload.namespace && { [gatewayLabel]: gateway.name }),
    },
    ...(serviceAccount && { serviceAccount }),
    ...((flags.waypoint ?? services ?? serviceEntries) && { waypoint: true }),
    ...(services && { services }),
    ...(serviceEntries && { serviceEntries }),
  }
  return { workload, direction }
}

/** The Gateway whose proxy the workload is; its namespace is that of the workload where none is named. */
export function gatewayOf({ gateway, workload }: WorkloadFlags): ObjectName | undefined {
  return gateway && { namespace: gateway.namespace ?? workload.namespace, name: gateway.name }
}

function parseGateway(value: string): NonNullable<WorkloadFlags['gateway']> {
  const [first, second, ...more] = value.split('/')
  if (!first || second === '' || more.length) throw new InvalidArgumentError('expected NAME or NAMESPACE/NAME.')
  return second === undefined ? { name: first } : { namespace: first, name: second }
}

function parseObjectName(value: string): ObjectName {
  const [namespace, name, ...more] = value.split('/')
  if (!namespace || !name || more.length) throw new InvalidArgumentError('expected NAMESPACE/NAME.')
  return { namespace, name }
}

const collectNames = (value: string, earlier: ObjectName[] = []) => [...earlier, parseObjectName(value)]

/** May be given several times. */
function parseLabels(value: string, earlier: Record<string, string> = {}) {
  const labels = { ...earlier }
  for (const part of value.split(',').filter(Boolean)) {
    const equals = part.indexOf('=')
    if (equals < 1) throw new InvalidArgumentError('expected KEY=VALUE,KEY=VALUE.')
    labels[part.slice(0, equals).trim()] = part.slice(equals + 1).trim()
  }
  return labels
}
