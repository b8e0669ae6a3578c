/** Sends the attacks to real Envoy, where native RBAC and our filter both judge them. */

import { Arena, type Normalization } from '../rbac/arena.ts'
import { Client, NoAnswer } from '../rbac/client.ts'
import { differences, type Outcome, readOutcome } from '../rbac/outcome.ts'
import { compile } from '../rbac/run.ts'
import { translate } from '../rbac/translate/index.ts'
import type { Attack, Expected } from './attack.ts'
import { attacks } from './attacks.ts'
import { frameAttacks, sendFrames } from './frames.ts'
import { policies, type PolicyName } from './policies.ts'

export interface Judged {
  attack: Attack
  native: Expected
  ours: Expected
  /** Of Envoy's own answer. */
  details?: string
  /** What differs, if both filters decided. */
  differences: string[]
}

/** Answers also what became of the frames: see `sendFrames`. */
export async function judgeAttacks(
  wasm: string,
): Promise<{ judged: Judged[]; frames: Map<string, 'refused' | number> }> {
  const names = [...new Set(attacks.map(listenerOf))]
  const arena = await Arena.start(wasm, names.map(listener))
  try {
    const judged: Judged[] = []
    for (const attack of attacks) judged.push(await judge(attack, arena.port(names.indexOf(listenerOf(attack)))))
    const frames = new Map<string, 'refused' | number>()
    for (const attack of frameAttacks) frames.set(attack.name, await sendFrames(arena.port(0), attack))
    if (!arena.running) throw new Error(`Envoy has ended: ${arena.failure()}`)
    return { judged, frames }
  } finally {
    await arena.stop()
  }
}

const SEPARATOR = ' | '
const listenerOf = ({ policy, normalization = 'BASE' }: Attack) => [policy, normalization].join(SEPARATOR)

function listener(name: string) {
  const [policy, normalization] = name.split(SEPARATOR) as [PolicyName, Normalization]
  const compiled = compile({ policies: [policies[policy]], trustDomains: ['cluster.local'] })
  if ('message' in compiled) throw new Error(`${policy}: ${compiled.message}`)
  return {
    native: translate([policies[policy]], ['cluster.local']),
    configuration: compiled.configuration,
    normalization,
  }
}

async function judge(attack: Attack, port: number): Promise<Judged> {
  const { send, connection } = attack
  const client = new Client(port, { source: '127.0.0.1', http2: false, ...connection })
  try {
    const sent = typeof send === 'string' ? client.raw(send, send.startsWith('HEAD')) : client.request(send)
    const response = await sent.catch((error: unknown) => {
      if (error instanceof NoAnswer) return undefined
      throw error
    })
    const outcome = response && readOutcome(response)
    if (!outcome) {
      const details = response?.headers['x-details'] ?? 'no answer'
      return { attack, native: 'answered', ours: 'answered', details, differences: [] }
    }
    const of = (side: keyof Outcome): Expected => (outcome[side].verdict === 'denied' ? 'refused' : 'passes')
    return { attack, native: of('native'), ours: of('ours'), differences: differences(outcome) }
  } finally {
    client.close()
  }
}
