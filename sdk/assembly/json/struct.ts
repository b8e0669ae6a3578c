/**
 * Envoy hands over a configuration of type `google.protobuf.Struct` in protobuf's encoding, though wasm.proto says JSON:
 * a first entry of the map `fields`, 0a SIZE 0a NAME-SIZE NAME 12 … (JSON has no byte 12, so nothing else looks like it.)
 */
export function isStruct(at: usize, end: usize): bool {
  if (load<u8>(at) != 0x0a) return false
  do at++
  while (at < end && load<u8>(at) >= 0x80)
  if (end - at < 3 || load<u8>(at, 1) != 0x0a) return false
  const tag = at + 3 + load<u8>(at, 2)
  return tag < end && load<u8>(tag) == 0x12
}
