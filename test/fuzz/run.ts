/** All of the fuzz: what is fed with what, and what must come out. */

import { authorization } from './authorization.ts'
import { fuzzConfigurations } from './configurations.ts'
import { fault, faultScene } from './fault.ts'
import { build, type Build, compile } from './modules.ts'
import { fuzzNodeHost } from './node-host.ts'
import { ratelimit, ratelimitScene } from './ratelimit.ts'
import { fuzzRequests } from './requests.ts'
import { routing, routingScene } from './routing.ts'
import { telemetry, telemetryScene } from './telemetry.ts'
import { fuzzEnvoy, fuzzTraffic } from './traffic.ts'

export interface Figures {
  requests: number
  configurations: number
  /** Bytes of Wasm memory after the first half, and at the end. */
  memory: readonly [warm: number, end: number]
  /** The same of live objects, where the filter tells. */
  managed?: readonly [warm: number, end: number]
}

export interface Target {
  name: string
  /** Bytes of live objects that may be there more than before. */
  slack: number
  /** Throws when the filter does what it must not. */
  run(options: { count: number; seed: number; kind: Build; onProgress?: (done: number) => void }): Promise<Figures>
}

export const targets: readonly Target[] = [
  {
    name: 'requests by a hostile host',
    slack: 0,
    async run({ count, seed, kind, onProgress }) {
      const module = compile(await build('test/fuzz/assembly/filter.ts', kind))
      return fuzzRequests(module, { requests: count, seed, onProgress })
    },
  },
  {
    name: 'requests by the Node host',
    // A few calls of plugins that were replaced, with these plugins and what metrics they have made.
    slack: 256 * 1024,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build('test/fuzz/assembly/portable.ts', kind)
      return fuzzNodeHost(wasm, { requests: count, seed, onProgress })
    },
  },
  {
    name: 'configurations of authorization',
    slack: 0,
    async run({ count, seed, kind }) {
      const wasm = await build(authorization.path, kind)
      return { requests: 0, ...fuzzConfigurations({ ...authorization, wasm, configurations: count, seed }) }
    },
  },
  {
    name: 'configurations of fault',
    slack: 0,
    async run({ count, seed, kind }) {
      const wasm = await build(fault.path, kind)
      return { requests: 0, ...fuzzConfigurations({ ...fault, wasm, configurations: count, seed }) }
    },
  },
  {
    name: 'requests of fault',
    slack: 0,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(faultScene.path, kind)
      return fuzzTraffic({ scene: faultScene, wasm, requests: count, seed, onProgress })
    },
  },
  {
    name: 'configurations of ratelimit',
    slack: 0,
    async run({ count, seed, kind }) {
      const wasm = await build(ratelimit.path, kind)
      return { requests: 0, ...fuzzConfigurations({ ...ratelimit, wasm, configurations: count, seed }) }
    },
  },
  {
    name: 'requests of ratelimit',
    slack: 0,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(ratelimitScene.path, kind)
      return fuzzTraffic({ scene: ratelimitScene, wasm, requests: count, seed, onProgress })
    },
  },
  {
    name: 'configurations of routing',
    slack: 0,
    async run({ count, seed, kind }) {
      const wasm = await build(routing.path, kind)
      return { requests: 0, ...fuzzConfigurations({ ...routing, wasm, configurations: count, seed }) }
    },
  },
  {
    name: 'requests of routing',
    slack: 0,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(routingScene.path, kind)
      return fuzzTraffic({ scene: routingScene, wasm, requests: count, seed, onProgress })
    },
  },
  {
    name: 'configurations of telemetry',
    slack: 0,
    async run({ count, seed, kind }) {
      const wasm = await build(telemetry.path, kind)
      return { requests: 0, ...fuzzConfigurations({ ...telemetry, wasm, configurations: count, seed }) }
    },
  },
  {
    name: 'requests of telemetry',
    slack: 0,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(telemetryScene.path, kind)
      return fuzzTraffic({ scene: telemetryScene, wasm, requests: count, seed, onProgress })
    },
  },
]

/** Those of `--envoy`: filters in real Envoy. */
export const envoyTargets: readonly Target[] = [
  {
    name: 'requests of fault in Envoy',
    // Of all of Envoy, whose memory is not only the filter's.
    slack: 1,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(faultScene.path, kind)
      return fuzzEnvoy({ scene: faultScene, wasm, requests: count, seed, onProgress })
    },
  },
  {
    name: 'requests of ratelimit in Envoy',
    slack: 1,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(ratelimitScene.path, kind)
      return fuzzEnvoy({ scene: ratelimitScene, wasm, requests: count, seed, onProgress })
    },
  },
  {
    name: 'requests of routing in Envoy',
    slack: 1,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(routingScene.path, kind)
      return fuzzEnvoy({ scene: routingScene, wasm, requests: count, seed, onProgress })
    },
  },
  {
    name: 'requests of telemetry in Envoy',
    slack: 1,
    async run({ count, seed, kind, onProgress }) {
      const wasm = await build(telemetryScene.path, kind)
      return fuzzEnvoy({ scene: telemetryScene, wasm, requests: count, seed, onProgress })
    },
  },
]

/** Bytes of Wasm memory below which one doubling says nothing. */
const SMALL = 2 << 20

/** True when memory was no larger at the end than after the first half, but for what the target may take. */
export function isFlat({ slack }: Target, { memory, managed }: Figures): boolean {
  // The allocator doubles the memory when it needs more. The largest configuration may come in the second half; a leak does not end at 2 MB.
  const limit = slack || memory[0] < SMALL ? 2 * memory[0] : memory[0]
  return memory[1] <= limit && (!managed || managed[1] <= managed[0] + slack)
}
