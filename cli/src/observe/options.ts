/** The filters of `meshscript observe`, in the order of its help. */

function directed(kind: string, value: string, what: string, short = ''): [flags: string, description: string][] {
  return [
    [`${short}--${kind} <${value}>`, `flows from or to ${what}`],
    [`--from-${kind} <${value}>`, `as --${kind}, for the source alone`],
    [`--to-${kind} <${value}>`, `as --${kind}, for the destination alone`],
  ]
}

/** Those without a value stand alone. */
export const filterOptions: readonly [flags: string, description: string][] = [
  ['--not', 'reverses the filter that follows'],
  ['--verdict <VERDICT>', 'FORWARDED, DROPPED, AUDIT, REDIRECTED, ERROR, TRACED or TRANSLATED'],
  ['-t, --type <TYPE[:SUBTYPE]>', 'l7, policy-verdict, drop, trace, capture or trace-sock'],
  ['--protocol <NAME>', 'http, dns, kafka, tcp, udp, sctp, icmp, icmpv4 or icmpv6'],
  ['--http-status <CODE>', '404, or the beginning of a status: 5+, 40+'],
  ['--http-method <METHOD>', 'in large or small letters'],
  ['--http-path <REGEX>', 'a regular expression that is somewhere in the path'],
  ['--http-url <REGEX>', 'a regular expression that is somewhere in the URL'],
  ['--http-header <NAME:VALUE>', 'a header of the request or response, as it is written'],
  ...directed('pod', 'NAME', 'pods whose name begins so; [NAMESPACE/]NAME, without one that of `default`'),
  ...directed('namespace', 'NAME', 'pods of a namespace', '-n, '),
  ...directed('label', 'SELECTOR', 'what has the labels: app=x, tier!=web, "env in (a, b)", reserved:world', '-l, '),
  ...directed('service', 'NAME', 'services whose name begins so; [NAMESPACE/]NAME'),
  ...directed('workload', 'NAME', 'a workload; [KIND/]NAME'),
  ...directed('identity', 'ID', 'a security identity: a number, or host, world, kube-apiserver …'),
  ...directed('ip', 'ADDRESS', 'an address, or those of a range such as 10.0.0.0/8'),
  ...directed('port', 'PORT', 'a port'),
  ...directed('fqdn', 'NAME', 'a domain name; * stands for any text'),
  ...directed('cluster', 'NAME', 'a cluster'),
  ['-A, --all-namespaces', 'names of pods and services are of any namespace'],
  ['--from-all-namespaces', 'as --all-namespaces, for the source alone'],
  ['--to-all-namespaces', 'as --all-namespaces, for the destination alone'],
  ['--trace-id <ID>', 'flows of a trace'],
  ['--traffic-direction <WAY>', 'ingress or egress'],
  ['--drop-reason-desc <REASON>', 'why it was dropped, such as POLICY_DENIED'],
  ['--tcp-flags <FLAGS>', 'such as syn,ack'],
  ['--ip-version <VERSION>', 'v4, v6 or none'],
  ['-4, --ipv4', 'only IPv4'],
  ['-6, --ipv6', 'only IPv6'],
  ['--encrypted', 'only encrypted flows'],
  ['--unencrypted', 'only flows that are not encrypted'],
  ['--node-name <NAME>', '[CLUSTER/]NODE that reported it; * stands for any text'],
  ['--node-label <SELECTOR>', 'labels of the node'],
  ['--uuid <ID>', 'the flow of that identifier'],
]
