/** What the HTTP connection manager makes of a request's path before any filter sees it. */

export interface PathOptions {
  /** RFC 3986 normalization: dot segments, `\`, and escapes of characters that need none. */
  normalize_path?: unknown
  merge_slashes?: unknown
  path_with_escaped_slashes_action?: unknown
}

/** The path for the filters; undefined where Envoy answers 400. Order and details as in Envoy's `PathUtil` and `ConnectionManagerUtility`. */
export function normalizePath(path: string, options: PathOptions): string | undefined {
  if (!path.startsWith('/')) return path
  const hash = path.indexOf('#')
  const whole = hash < 0 ? path : path.slice(0, hash)
  const mark = whole.indexOf('?')
  const query = mark < 0 ? '' : whole.slice(mark)
  let plain = mark < 0 ? whole : whole.slice(0, mark)
  const action = options.path_with_escaped_slashes_action
  if (/%2f|%5c/i.test(plain)) {
    if (action === 'REJECT_REQUEST') return undefined
    if (action === 'UNESCAPE_AND_FORWARD') plain = plain.replace(/%2f/gi, '/').replace(/%5c/gi, '\\')
  }
  if (options.normalize_path && plain.includes('%00')) return undefined
  if (options.normalize_path) plain = removeDots(escapeUnsafe(unescapeUnreserved(plain.replaceAll('\\', '/'))))
  if (options.merge_slashes) plain = plain.replace(/\/{2,}/g, '/')
  return plain + query
}

function unescapeUnreserved(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16))
    return /[\w.~-]/.test(character) ? character : escape
  })
}

/** What may not stand in a path as it is. */
function escapeUnsafe(path: string): string {
  return path.replace(/["<>^`{|}]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

function removeDots(path: string): string {
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1
    if (segment === '..') kept.pop()
    else if (segment !== '.') return void kept.push(segment)
    if (isLast) kept.push('')
  })
  return `/${kept.join('/')}`
}
