import { expect, it } from 'vitest'
import { encodeMessage, encodeStruct, fieldBytes, fieldNumber, parseMessage } from './protobuf.ts'

it('reads what it writes', () => {
  const fields = parseMessage(
    encodeMessage([
      [1, 'name'],
      [2, true],
      [3, 300],
      [4, Buffer.from([1, 2])],
      [5, ''],
    ]),
  )!
  expect(fieldBytes(fields, 1).toString()).toBe('name')
  expect(fieldNumber(fields, 2)).toBe(1)
  expect(fieldNumber(fields, 3)).toBe(300)
  expect([...fieldBytes(fields, 4)]).toEqual([1, 2])
  expect(fields).toHaveLength(4)
})

it('refuses what is not a message', () => {
  for (const hex of ['ff', '0a05', '0a', '67', '00']) expect(parseMessage(Buffer.from(hex, 'hex'))).toBeUndefined()
  expect(parseMessage(Buffer.alloc(0))).toEqual([])
})

it('encodes a Struct as Envoy passes it on', () => {
  expect(encodeStruct({ a: 1 }).toString('hex')).toBe('0a0e0a0161120911000000000000f03f')
  expect(encodeStruct({ a: [true, null, 'x', {}] }).toString('hex')).toBe(
    ['0a18', '0a0161', '1213', '3211', '0a022001', '0a020800', '0a031a0178', '0a022a00'].join(''),
  )
})
