// How the probe writes down what it got.

/** Printable ASCII as it is, every other byte as \xNN. */
export function show(data: usize, size: usize): string {
  let text = ''
  for (let i: usize = 0; i < size; i++) {
    const byte = load<u8>(data + i)
    if (byte >= 0x20 && byte < 0x7f && byte != 0x5c) text += String.fromCharCode(byte)
    else text += '\\x' + (byte < 16 ? '0' : '') + byte.toString(16)
  }
  return text
}

/** A block of pairs as `{a=1, b=2}`; `null` where there are no bytes at all. */
export function showPairs(data: usize, size: usize): string {
  if (size == 0) return 'null'
  const count = load<u32>(data)
  let at = data + 4 + 8 * count
  let text = '{'
  for (let i: u32 = 0; i < count; i++) {
    const key = load<u32>(data + 4 + 8 * i)
    const value = load<u32>(data + 8 + 8 * i)
    text += (i > 0 ? ', ' : '') + show(at, key) + '=' + show(at + key + 1, value)
    at += key + value + 2
  }
  return text + '}'
}
