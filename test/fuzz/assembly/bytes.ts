import { Bytes, ByteString } from '@meshscript/sdk'
import { Input } from './input'

/** What comes of computations, so that none is left out by the compiler. */
export let sink: u64 = 0

export function consume(value: u64): void {
  sink = sink * 31 + value
}

/** Everything that can be done with bytes. */
export function useBytes(input: Input, bytes: ByteString): void {
  const other = input.text()
  switch (input.below(12)) {
    case 0:
      consume(u64(bytes.equals(other)) + u64(bytes.equals('x')) + u64(bytes.equalsIgnoreCase(other)))
      break
    case 1:
      consume(u64(bytes.startsWith(other)) + u64(bytes.endsWith(other)) + u64(bytes.includes(other)))
      break
    case 2:
      consume(bytes.indexOf(other, input.integer()) + bytes.indexOfByte(<u8>input.byte(), input.integer()))
      break
    case 3:
      consume(bytes.lastIndexOfByte(<u8>input.byte()) + bytes.byteAt(input.integer()))
      break
    case 4: {
      const part = bytes.slice(input.integer(), input.integer())
      consume(part.hash() + u64(part.isEmpty))
      break
    }
    case 5:
      consume(bytes.trim().toLowerCase().length)
      break
    case 6:
      consume(bytes.concat(other).concat('!').concat(bytes).length)
      break
    case 7:
      consume(bytes.parseInt(-1) + other.parseInt())
      break
    case 8: {
      const kept = bytes.persist()
      consume(u64(kept.equals(bytes)) + u64(kept.view.equals(other)))
      break
    }
    case 9:
      consume(bytes.toString().length + Bytes.from(bytes.toString()).length)
      break
    case 10: {
      const text = `${other} of ${bytes}`
      consume(Bytes.from(text).toString().length)
      break
    }
    default:
      consume(bytes.hash())
  }
}

export function useOptional(input: Input, bytes: ByteString | null): void {
  if (bytes) useBytes(input, bytes)
}
