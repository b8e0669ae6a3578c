/** The names and numbers of Hubble's protocol that filters and printers need. */

/** Values of enumerations, by their numbers. */
const enumerations = {
  verdict: ['VERDICT_UNKNOWN', 'FORWARDED', 'DROPPED', 'ERROR', 'AUDIT', 'REDIRECTED', 'TRACED', 'TRANSLATED'],
  authentication: ['DISABLED', 'SPIRE', 'TEST_ALWAYS_FAIL'],
  layer7: ['UNKNOWN_L7_TYPE', 'REQUEST', 'RESPONSE', 'SAMPLE'],
  ipVersion: ['IP_NOT_USED', 'IPv4', 'IPv6'],
  direction: ['TRAFFIC_DIRECTION_UNKNOWN', 'INGRESS', 'EGRESS'],
  capturePoint: [
    'DBG_CAPTURE_POINT_UNKNOWN',
    ...['', '', ''],
    'DBG_CAPTURE_DELIVERY',
    'DBG_CAPTURE_FROM_LB',
    'DBG_CAPTURE_AFTER_V46',
    'DBG_CAPTURE_AFTER_V64',
    'DBG_CAPTURE_PROXY_PRE',
    'DBG_CAPTURE_PROXY_POST',
    'DBG_CAPTURE_SNAT_PRE',
    'DBG_CAPTURE_SNAT_POST',
  ],
  socketPoint: [
    'SOCK_XLATE_POINT_UNKNOWN',
    'SOCK_XLATE_POINT_PRE_DIRECTION_FWD',
    'SOCK_XLATE_POINT_POST_DIRECTION_FWD',
    'SOCK_XLATE_POINT_PRE_DIRECTION_REV',
    'SOCK_XLATE_POINT_POST_DIRECTION_REV',
  ],
  dropReason: [] as string[],
}

/** From 130 on; there is no 159. */
const dropReasons =
  'INVALID_SOURCE_MAC INVALID_DESTINATION_MAC INVALID_SOURCE_IP POLICY_DENIED INVALID_PACKET_DROPPED ' +
  'CT_TRUNCATED_OR_INVALID_HEADER CT_MISSING_TCP_ACK_FLAG CT_UNKNOWN_L4_PROTOCOL ' +
  'CT_CANNOT_CREATE_ENTRY_FROM_PACKET UNSUPPORTED_L3_PROTOCOL MISSED_TAIL_CALL ERROR_WRITING_TO_PACKET ' +
  'UNKNOWN_L4_PROTOCOL UNKNOWN_ICMPV4_CODE UNKNOWN_ICMPV4_TYPE UNKNOWN_ICMPV6_CODE UNKNOWN_ICMPV6_TYPE ' +
  'ERROR_RETRIEVING_TUNNEL_KEY ERROR_RETRIEVING_TUNNEL_OPTIONS INVALID_GENEVE_OPTION UNKNOWN_L3_TARGET_ADDRESS ' +
  'STALE_OR_UNROUTABLE_IP NO_MATCHING_LOCAL_CONTAINER_FOUND ERROR_WHILE_CORRECTING_L3_CHECKSUM ' +
  'ERROR_WHILE_CORRECTING_L4_CHECKSUM CT_MAP_INSERTION_FAILED INVALID_IPV6_EXTENSION_HEADER ' +
  'IP_FRAGMENTATION_NOT_SUPPORTED SERVICE_BACKEND_NOT_FOUND - NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT ' +
  'FAILED_TO_INSERT_INTO_PROXYMAP REACHED_EDT_RATE_LIMITING_DROP_HORIZON UNKNOWN_CONNECTION_TRACKING_STATE ' +
  'LOCAL_HOST_IS_UNREACHABLE NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION UNSUPPORTED_L2_PROTOCOL ' +
  'NO_MAPPING_FOR_NAT_MASQUERADE UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE FIB_LOOKUP_FAILED ' +
  'ENCAPSULATION_TRAFFIC_IS_PROHIBITED INVALID_IDENTITY UNKNOWN_SENDER NAT_NOT_NEEDED IS_A_CLUSTERIP ' +
  'FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND FORBIDDEN_ICMPV6_MESSAGE DENIED_BY_LB_SRC_RANGE_CHECK ' +
  'SOCKET_LOOKUP_FAILED SOCKET_ASSIGN_FAILED PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL POLICY_DENY ' +
  'VLAN_FILTERED INVALID_VNI INVALID_TC_BUFFER NO_SID MISSING_SRV6_STATE NAT46 NAT64 AUTH_REQUIRED ' +
  'CT_NO_MAP_FOUND SNAT_NO_MAP_FOUND INVALID_CLUSTER_ID UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP NO_EGRESS_GATEWAY ' +
  'UNENCRYPTED_TRAFFIC TTL_EXCEEDED NO_NODE_ID DROP_RATE_LIMITED IGMP_HANDLED IGMP_SUBSCRIBED ' +
  'MULTICAST_HANDLED DROP_HOST_NOT_READY DROP_EP_NOT_READY DROP_NO_EGRESS_IP DROP_PUNT_PROXY'
enumerations.dropReason[0] = 'DROP_REASON_UNKNOWN'
for (const [index, name] of dropReasons.split(' ').entries()) enumerations.dropReason[130 + index] = name

/** The name of a number; the number itself where it has none. */
export function nameOf(enumeration: keyof typeof enumerations, number: number): string {
  return enumerations[enumeration][number] || String(number)
}

/** The names of an enumeration. */
export const namesOf = (enumeration: keyof typeof enumerations): string[] =>
  enumerations[enumeration].filter((name) => name && name !== '-')

export const isName = (text: string) => /^[A-Z][A-Za-z0-9_]{0,99}$/.test(text)

/** A reason to drop a packet, in words. */
export function dropText(number: number): string {
  const name = enumerations.dropReason[number]
  if (name === undefined || name === '-') return `${number}, 0`
  if (name === 'POLICY_DENY') return 'Policy denied by denylist'
  if (name === 'AUTH_REQUIRED') return 'Authentication required'
  const words = name.replace(/^DROP_/, '').split('_')
  const text = words.map((word) => (ABBREVIATION.test(word) ? word : word.toLowerCase())).join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const ABBREVIATION = /\d|^(IP|CT|TCP|NAT|FIB|LB|EDT|VNI|VLAN|TTL|SID|TC|IGMP|DSR|EP)$/

/** Types of events. */
export const EventType = { drop: 1, debug: 2, capture: 3, trace: 4, policyVerdict: 5, traceSock: 7, l7: 129 } as const

/** Types of events, as `--type` has them. */
export const eventTypes: ReadonlyMap<string, number> = new Map(
  Object.entries({
    capture: EventType.capture,
    drop: EventType.drop,
    l7: EventType.l7,
    'policy-verdict': EventType.policyVerdict,
    trace: EventType.trace,
    'trace-sock': EventType.traceSock,
  }),
)

/** Where the datapath saw a packet, by number. */
export const tracePoints = [
  ...['to-endpoint', 'to-proxy', 'to-host', 'to-stack', 'to-overlay'],
  ...['from-endpoint', 'from-proxy', 'from-host', 'from-stack', 'from-overlay', 'from-network'],
  ...['to-network', 'from-crypto', 'to-crypto'],
]

/** How a policy matched, by number. */
export const policyMatches = ['none', 'L3-Only', 'L3-L4', 'L4-Only', 'all', 'L3-Proto', 'Proto-Only']

/** Security identities that are the same everywhere, by number. */
export const reservedIdentities = [
  ...['unknown', 'host', 'world', 'unmanaged', 'health', 'init', 'remote-node', 'kube-apiserver', 'ingress'],
  ...['world-ipv4', 'world-ipv6'],
]
