/** Bytes as a hostile host makes them up. */

import { makeDocument, type Random } from '../json/documents.ts'

const POOL = 1 << 20
const TEXTS = ['x-user', ':path', '/a?b=c', '200', '-1', '18446744073709551615', '', 'größe', '\u{1f600}', 'a,b', ' \t']
/** Beginnings of UTF-8 sequences that do not go on, overlong forms, surrogates, what is beyond U+10FFFF. */
const BROKEN = ['c3', 'e282', 'f09f98', 'c080', 'e08080', 'eda080', 'f4908080', 'ff', '80'].map((hex) =>
  Buffer.from(hex, 'hex'),
)

export class ByteSource {
  /** Random bytes, of which pieces are taken: quicker than making each anew. */
  private readonly pool = Buffer.alloc(POOL)

  constructor(private readonly random: Random) {
    for (let i = 0; i < POOL; i += 4) this.pool.writeInt32LE(random.below(2 ** 32) | 0, i)
  }

  /** Whether there are sizes of whole bodies, too. */
  hasBodies = true

  /** A size: mostly small, at times that of a large header, seldom that of a body. */
  size(): number {
    const { random } = this
    const kind = random.below(1000)
    if (kind < 100) return 0
    if (kind < 500) return random.below(16)
    if (kind < 970) return random.below(300)
    return random.below(kind < 999 || !this.hasBodies ? 20_000 : 200_000)
  }

  noise(size = this.size()): Buffer {
    const from = this.random.below(POOL - size)
    return this.pool.subarray(from, from + size)
  }

  /** What might be the value of a header or of a property. */
  value(): Buffer {
    const { random } = this
    switch (random.below(8)) {
      case 0:
        return Buffer.from(random.pick(TEXTS))
      case 1:
        return Buffer.concat([Buffer.from(random.pick(TEXTS)), random.pick(BROKEN)])
      case 2:
        // An integer, a double or a duration.
        return this.noise(8)
      case 3:
        return this.noise(random.pick([1, 4, 7, 9, 16]))
      case 4:
        return this.pairs()
      case 5:
        return this.protobuf()
      default:
        return this.noise()
    }
  }

  /** Header lines in the ABI's encoding, every other time with something wrong. */
  pairs(): Buffer {
    const { random } = this
    const count = random.below(8)
    const lines = Array.from({ length: count }, () => [this.text(), this.text()] as const)
    const head = Buffer.alloc(4 + 8 * count)
    head.writeUInt32LE(count, 0)
    lines.forEach(([name, value], i) => {
      head.writeUInt32LE(name.length, 4 + 8 * i)
      head.writeUInt32LE(value.length, 8 + 8 * i)
    })
    const zero = Buffer.alloc(1)
    const bytes = Buffer.concat([head, ...lines.flatMap(([name, value]) => [name, zero, value, zero])])
    switch (random.below(10)) {
      case 0:
        return bytes.subarray(0, random.below(bytes.length + 1))
      case 1:
        return Buffer.concat([bytes, this.noise(1 + random.below(8))])
      case 2: {
        // A count or a length that does not fit; at times so large that sums wrap around.
        const wrong = random.pick([0xffffffff, 0x80000000, 0x7fffffff, 0x20000000, 0x1fffffff, 1025, random.below(99)])
        bytes.writeUInt32LE(wrong, 4 * random.below(1 + 2 * count))
        return bytes
      }
      case 3:
        return this.noise()
      case 4:
        return Buffer.alloc(0)
      default:
        return bytes
    }
  }

  /** A message of a few fields; some run beyond its end. */
  protobuf(): Buffer {
    const { random } = this
    const fields = Array.from({ length: random.below(5) }, () => {
      const tag = Buffer.from([(random.below(16) << 3) | random.pick([0, 1, 2, 2, 2, 3, 5, 7])])
      return Buffer.concat([tag, random.below(3) ? Buffer.from([random.below(20)]) : this.noise(random.below(12))])
    })
    return Buffer.concat([...fields, this.noise(random.below(20))])
  }

  configuration(): Uint8Array {
    const { random } = this
    switch (random.below(4)) {
      case 0:
        return this.noise()
      case 1:
        return this.protobuf()
      default:
        return makeDocument(random)
    }
  }

  private text(): Buffer {
    const { random } = this
    if (random.below(4) === 0) return this.noise(random.below(random.below(40) ? 30 : 3000))
    const text = Buffer.from(random.pick(TEXTS))
    return random.below(4) ? text : Buffer.concat([text, random.pick(BROKEN)])
  }
}
