/** Configurations that a filter has to accept or to refuse with a message: random bytes, damaged JSON, real ones with something changed. */

import { damage, makeDocument, Random } from '../json/documents.ts'
import { ReaderModule } from '../json/module.ts'
import { ByteSource } from './bytes.ts'
import { FuzzFailure } from './requests.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export interface ConfigurationOptions {
  /** Path of the module. */
  wasm: string
  configurations: number
  seed: number
  /** Valid configurations, to be changed. */
  real: readonly object[]
  /** A valid configuration of about so many bytes. */
  grow: (bytes: number) => object
  /** What the filter's schema, and what no schema can say, make of a configuration. Absent: only traps and bad messages count. */
  isValid?: (configuration: unknown) => boolean
}

export interface ConfigurationResult {
  configurations: number
  accepted: number
  refused: number
  /** Those that the schema was asked about, too. */
  compared: number
  /** Bytes of Wasm memory after the first half, and at the end. */
  memory: [warm: number, end: number]
}

/** Bytes of the largest configuration that is made of a real one. */
const LARGEST = 32 * 1024

/** How a refusal begins: with the place of what is wrong, or saying that there is none. */
const MESSAGE = /^configuration:(\d+:\d+:)? .|^the configuration is a binary google\.protobuf\.Struct: ./

/** Throws when the filter traps, refuses without a good message, or decides otherwise than its schema. */
export function fuzzConfigurations(options: ConfigurationOptions): ConfigurationResult {
  const { wasm, configurations, seed, real, grow, isValid } = options
  const random = new Random(seed)
  const bytes = new ByteSource(random)
  const module = new ReaderModule(wasm)
  const result = { configurations, accepted: 0, refused: 0, compared: 0 }
  let warm = 0
  // The largest that there will be.
  module.read(JSON.stringify(grow(8 * LARGEST)))
  for (let i = 0; i < configurations; i++) {
    if (i === configurations >> 1) warm = module.memory
    const { text, value } = make(random, bytes, real)
    const fail = (message: string, cause?: unknown): never => {
      const shown = Buffer.from(text).toString('latin1')
      throw new FuzzFailure(`seed ${seed}, configuration ${i}: ${message}\n${shown}`, { cause })
    }
    try {
      const { accepted, error } = module.read(text)
      if (accepted) result.accepted++
      else if (error === undefined || !MESSAGE.test(error)) fail(`refused with the message ${error}`)
      else result.refused++
      if (value !== undefined && isValid) {
        result.compared++
        if (isValid(value) !== accepted) fail(`the schema says otherwise than the filter, which said ${error ?? 'yes'}`)
      }
    } catch (error) {
      if (error instanceof FuzzFailure) throw error
      fail(String(error instanceof Error ? error.stack : error), error)
    }
  }
  return { ...result, memory: [warm, module.memory] }
}

/** A configuration; `value` where it is JSON that says the same to every reader. */
function make(random: Random, bytes: ByteSource, real: readonly object[]): { text: Uint8Array; value?: Json } {
  switch (random.below(8)) {
    case 0:
      return { text: bytes.noise() }
    case 1:
      return { text: bytes.protobuf() }
    case 2:
      return { text: makeDocument(random) }
    case 3:
      return { text: damage(random, Buffer.from(JSON.stringify(random.pick(real)))) }
    default: {
      const value = structuredClone(random.pick(real)) as Json
      for (let i = random.below(3); i--;) change(random, value)
      const text = Buffer.from(JSON.stringify(value, null, random.below(3)))
      return text.length < LARGEST ? { text, value } : { text: bytes.noise() }
    }
  }
}

/** Changes one value, anywhere in it. */
function change(random: Random, value: Json): void {
  const places: { parent: Json[] | Record<string, Json>; key: string | number }[] = []
  const collect = (parent: Json): void => {
    if (typeof parent !== 'object' || parent === null) return
    for (const key of Object.keys(parent)) {
      places.push({ parent: parent, key })
      collect((parent as Record<string, Json>)[key]!)
    }
  }
  collect(value)
  if (!places.length) return
  const { parent, key } = random.pick(places)
  const at = parent as Record<string | number, Json>
  switch (random.below(8)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1)
      else delete at[key]
      break
    case 1:
      at[key] = scalar(random)
      break
    case 2:
      at[key] = random.pick<Json>([[], {}, [at[key]!], { exact: at[key]! }])
      break
    case 3: {
      // A name that is nearly right.
      const moved = at[key]!
      if (Array.isArray(parent)) parent.push(structuredClone(moved))
      else {
        delete at[key]
        at[random.pick([`${key}s`, String(key).toUpperCase(), 'not' + key, 'paths', 'header', 'present', ''])] = moved
      }
      break
    }
    case 4:
      at[key] = structuredClone(at[random.pick(Object.keys(parent))]!)
      break
    case 5: {
      const other = random.pick(places)
      at[key] = structuredClone((other.parent as Record<string | number, Json>)[other.key]!)
      break
    }
    case 6:
      if (Array.isArray(parent)) for (let i = random.below(40); i--;) parent.push(structuredClone(at[key]!))
      else at[random.pick(['mode', 'record', 'unknown'])] = scalar(random)
      break
    default: {
      let deep: Json = at[key]!
      for (let i = random.below(80); i--;) deep = random.below(2) ? [deep] : { from: deep }
      at[key] = deep
    }
  }
}

function scalar(random: Random): Json {
  const texts = [
    '',
    'a',
    'ALLOW',
    'audit',
    'all',
    'X-Upper',
    ':path',
    'größe \u{1f600} \u0000"\\',
    'x'.repeat(random.below(5000)),
  ]
  return random.pick([null, true, false, 0, 1, -1, 2.5, 1e300, 2 ** 53, ...texts])
}
