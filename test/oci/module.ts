/** Modules to push. */

import { randomBytes } from 'node:crypto'

/** The smallest module that Envoy runs, with a custom section of so many bytes that no compression makes smaller. */
export function moduleOf(bytes: number, seed = randomBytes(bytes)): Buffer {
  const text = (value: string) => [value.length, ...Buffer.from(value)]
  const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content]
  const head = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // (func), (func (param i32) (result i32))
    ...section(1, [2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f]),
    ...section(3, [2, 0, 1]),
    ...section(5, [1, 0, 1]),
    ...section(7, [
      3,
      ...[...text('memory'), 2, 0],
      ...[...text('proxy_abi_version_0_2_1'), 0, 0],
      ...[...text('proxy_on_memory_allocate'), 0, 1],
    ]),
    ...section(10, [2, ...[2, 0, 0x0b], ...[4, 0, 0x41, 0, 0x0b]]),
  ]
  const name = text('noise')
  return Buffer.concat([Buffer.from([...head, 0, ...leb(name.length + bytes), ...name]), seed.subarray(0, bytes)])
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}
