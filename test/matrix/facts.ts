/**
 * What became different with a release of Envoy, as far as filters see it. A spec that asserts such a fact asks `has`, and on
 * older Envoys asserts what was there before: nothing is left out. docs/compatibility.md tells users.
 */

import { compareVersions, envoyVersion } from '@meshscript/sdk/testing/envoy/versions'

export interface Fact {
  /** First minor version that has it. */
  since: string
  now: string
  before: string
}

const list = {
  pemKeys: {
    since: '1.37',
    now: '`verify_signature` takes public keys in PEM (field 5), too',
    before: 'such a key is not read: `Failed to initialize digest verify.`',
  },
  sign: {
    since: '1.37',
    now: 'the foreign function `sign`',
    before: 'answers NOT_FOUND',
  },
  booleanExpressions: {
    since: '1.37',
    now: 'an expression (CEL) whose value is true or false can be a label of metrics',
    before: 'such a label is `unknown`',
  },
  peerCertificate: {
    since: '1.38',
    now: 'the property `connection.peer_certificate`, of which authorization takes the names of clients',
    before:
      'answers NOT_FOUND: authorization refuses clients with a certificate where a policy asks for their names, and other filters know their first URI and DNS names only',
  },
  shortConnectError: {
    since: '1.38',
    now: 'the body of the 503 of a callout that nobody answers tells the failure in 98 bytes',
    before: 'it is longer by details of the connection',
  },
  environmentDivides: {
    since: '1.39',
    now: 'plugins that differ in their environment variables have VMs of their own',
    before: 'they share one, with the environment of the first; give them different VM ids',
  },
  pollOneoff: {
    since: '1.39',
    now: "WASI's `poll_oneoff` succeeds with no events",
    before: 'it answers ENOSYS',
  },
} satisfies Record<string, Fact>

export const facts: Record<string, Fact> = list

/** Whether the Envoy of this run has it. The Node host models the latest. */
export function has(fact: keyof typeof list): boolean {
  return compareVersions(envoyVersion(), list[fact].since) >= 0
}
