// What a filter does with headers and bodies.

import { Buffer, HeaderMap, Headers } from '@meshscript/sdk'
import { consume, useBytes, useOptional } from './bytes'
import { Input } from './input'

export function useMap(input: Input, map: HeaderMap): void {
  switch (input.below(9)) {
    case 0:
      useOptional(input, map.get(input.text()))
      break
    case 1:
      useBytes(input, map.getOrEmpty('x-user'))
      break
    case 2:
      consume(u64(map.has(input.text())) + map.byteSize)
      break
    case 3:
      map.add(input.text(), input.text())
      break
    case 4:
      map.set('x-set', input.text())
      break
    case 5:
      map.remove(input.text())
      break
    case 6:
      map.setAll(someHeaders(input))
      break
    default:
      usePairs(input, map)
  }
}

function usePairs(input: Input, map: HeaderMap): void {
  const all = map.all()
  const count = min(all.length, 8)
  for (let i = 0; i < count; i++) {
    useBytes(input, all.name(i))
    useBytes(input, all.value(i))
  }
  useBytes(input, all.name(input.integer()))
  useBytes(input, all.value(input.integer()))
  consume(all.indexOf(input.text(), input.integer()))
  useOptional(input, all.get('x-user'))
  // Reads every line, so that a wrong length anywhere is met.
  consume(all.indexOf('no such name'))
}

/** Lines for whatever takes some, at times none. */
export function someHeaders(input: Input): Headers {
  const headers = new Headers()
  const count = input.below(5)
  if (count == 4) headers.add(':method', 'GET').add(':path', input.text()).add(':authority', 'a')
  for (let i: u32 = 0; i < count; i++) headers.add(input.text(), input.text())
  return input.byte() < 16 ? headers.persist() : headers
}

export function useBuffer(input: Input, buffer: Buffer): void {
  switch (input.below(8)) {
    case 0:
      consume(buffer.size)
      break
    case 1:
      useBytes(input, buffer.read())
      break
    case 2:
      useBytes(input, buffer.read(input.integer(), input.integer()))
      break
    case 3:
      buffer.replace(input.text())
      break
    case 4:
      buffer.replaceStart(input.integer(), input.text())
      break
    case 5:
      buffer.prepend('before')
      break
    case 6:
      buffer.append(input.text())
      break
    default:
      buffer.clear()
  }
}
