import { ByteString } from '@meshscript/sdk'
import { hostRandom } from '../../common/assembly/random'
import { sipHash } from '../../common/assembly/siphash'

let k0: u64 = 0
let k1: u64 = 0

/** A hash with keys that nobody knows: clients choose what is hashed, but not where it ends up. */
export function keyedHash(text: ByteString): u64 {
  if (!k0) {
    k0 = hostRandom()
    k1 = hostRandom()
  }
  return sipHash(text, k0, k1)
}
