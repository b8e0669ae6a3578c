import { ByteString, Pairs, utf8 } from '@meshscript/sdk'

/** The values of a header, joined by commas; `first` is the index of its first line. */
export function joined(headers: Pairs, name: ByteString, first: i32): ByteString {
  let value = headers.value(first)
  for (let i = headers.indexOf(name, first + 1); i >= 0; i = headers.indexOf(name, i + 1)) {
    value = value.concat(',').concat(headers.value(i))
  }
  return value
}

/** Whether more of a body has come than is sent, as a header says it. */
export function isPartial(body: ByteString, size: u32): ByteString {
  return <u32>body.length < size ? utf8('true') : utf8('false')
}

/** `path` with its parameters set to what `names` and `values` say; what comes before them is kept, also their order. */
export function setParameter(path: ByteString, name: ByteString, value: ByteString): ByteString {
  const query = path.indexOfByte(0x3f)
  const without = removeParameter(path, name)
  const hasOthers = query >= 0 && without.length > query
  return without
    .concat(hasOthers ? utf8('&') : utf8('?'))
    .concat(name)
    .concat('=')
    .concat(value)
}

/** `path` without the parameters of this name. */
export function removeParameter(path: ByteString, name: ByteString): ByteString {
  const query = path.indexOfByte(0x3f)
  if (query < 0) return path
  let kept = path.slice(0, query)
  let isFirst = true
  for (let from = query + 1; from <= path.length;) {
    const end = path.indexOfByte(0x26, from)
    const to = end < 0 ? path.length : end
    const parameter = path.slice(from, to)
    const equals = parameter.indexOfByte(0x3d)
    const own = equals < 0 ? parameter : parameter.slice(0, equals)
    if (!own.equals(name) && to > from) {
      kept = kept.concat(isFirst ? utf8('?') : utf8('&')).concat(parameter)
      isFirst = false
    }
    from = to + 1
  }
  return kept
}
