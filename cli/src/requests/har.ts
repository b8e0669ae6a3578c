/** Requests of an HTTP archive (HAR 1.2), as browsers and proxies save them. */
import { addHeader, emptyRequest, object, RequestError, splitUrl, type PolicyRequest } from './request.ts'

export function requestsFromHar(value: unknown): PolicyRequest[] {
  const { entries } = object(object(value, 'an HTTP archive')['log'], 'log')
  if (!Array.isArray(entries)) throw new RequestError('log.entries has to be a list')
  return entries.map((entry, index) => {
    const at = `log.entries[${index}].request`
    const { method, url, headers } = object(object(entry, `log.entries[${index}]`)['request'], at)
    if (typeof method !== 'string' || typeof url !== 'string') throw new RequestError(`${at} needs method and url`)
    const { host, path } = splitUrl(url)
    const request = { ...emptyRequest(), method, host, path }
    for (const each of Array.isArray(headers) ? headers : []) {
      const { name, value: text } = object(each, `${at}.headers`)
      if (typeof name !== 'string' || typeof text !== 'string') throw new RequestError(`${at}.headers: name and value`)
      // HTTP/2's pseudo-headers say what method and url do.
      if (!name.startsWith(':')) addHeader(request, name, text)
    }
    return request
  })
}
