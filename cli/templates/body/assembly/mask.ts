const MASK = '"***"'

/** Puts a mask in the place of the values that a field has anywhere in JSON text. */
export function mask(json: string, field: string): string {
  const name = `"${field}"`
  let masked = ''
  let done = 0
  for (let at = json.indexOf(name); at >= 0; at = json.indexOf(name, at + name.length)) {
    const colon = skipSpace(json, at + name.length)
    // A value that looks like the field's name.
    if (json.charAt(colon) != ':') continue
    const start = skipSpace(json, colon + 1)
    const end = endOfValue(json, start)
    if (start < done || end == start) continue
    masked += json.substring(done, start) + MASK
    done = end
  }
  return masked + json.substring(done)
}

function skipSpace(json: string, at: i32): i32 {
  while (at < json.length && json.charCodeAt(at) <= 0x20) at++
  return at
}

/** The place itself where a list or an object begins. */
function endOfValue(json: string, start: i32): i32 {
  const first = json.charAt(start)
  if (first == '{' || first == '[') return start
  let at = start
  if (first != '"') {
    while (at < json.length && !',}] \n\r\t'.includes(json.charAt(at))) at++
    return at
  }
  for (at++; at < json.length && json.charAt(at) != '"'; at++) if (json.charAt(at) == '\\') at++
  return at + 1
}
