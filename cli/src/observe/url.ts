/** The path of a URL or of a request target, with its escapes undone; undefined where there is none that is valid. */
export function pathOf(url: string): string | undefined {
  // eslint-disable-next-line no-control-regex -- a valid one has none
  if (/[\0-\x1f\x7f]/.test(url)) return undefined
  if (url === '*') return url
  const [, scheme, authority = '', path = ''] = /^([a-z][a-z\d+.-]*:)?(\/\/[^/?]*)?(\/[^?]*)?(?:\?|$)/is.exec(url) ?? []
  // Without a scheme, `//` is the beginning of a path.
  if (!scheme) return url.startsWith('/') ? unescape(authority + path) : undefined
  if (/:(?!\d*$)[^\]]*$/.test(authority.slice(authority.lastIndexOf('@') + 1).replace('//', ''))) return undefined
  return unescape(path)
}

function unescape(path: string): string | undefined {
  if (/%(?![\da-f]{2})/i.test(path)) return undefined
  return path.replace(/(?:%[\da-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString())
}
