/**
 * Records headers between the filters, for the page.
 *
 * A few lines of Lua stand before, between and behind the filters. They read the headers and keep them as dynamic metadata of
 * the stream, under one name; the access log writes it when the request is over. So nothing of a request is changed, held or
 * buffered; filters could tell only by that metadata.
 */

import { extension, type Json } from '@meshscript/sdk/testing/envoy'
import type { Headers, HeaderStages } from './events.ts'

const NAMESPACE = 'meshscript.run'

/** As an operator of the access log. */
export const RECORDED = `%DYNAMIC_METADATA(${NAMESPACE})%`

/** Base64, because headers may be bytes that no JSON can hold. */
const script = (position: number): string => `
local function record(handle, name)
  local lines = {}
  for key, value in pairs(handle:headers()) do
    lines[#lines + 1] = handle:base64Escape(key) .. ':' .. handle:base64Escape(value)
  end
  handle:streamInfo():dynamicMetadata():set('${NAMESPACE}', name, table.concat(lines, ','))
end
function envoy_on_request(handle) record(handle, 'request${position}') end
function envoy_on_response(handle) record(handle, 'response${position}') end
`

/** The filters with a recorder on each side of each. */
export function withRecorders(filters: readonly Json[]): Json[] {
  const recorder = (position: number): Json =>
    extension(`recorder-${position}`, 'envoy.extensions.filters.http.lua.v3.Lua', {
      default_source_code: { inline_string: script(position) },
    })
  return [recorder(0), ...filters.flatMap((filter, index) => [filter, recorder(index + 1)])]
}

/** What the recorders of so many filters wrote. */
export function readRecorded(
  recorded: Record<string, string> | null | undefined,
  filters: number,
): HeaderStages | undefined {
  if (!recorded) return undefined
  const positions = Array.from({ length: filters + 1 }, (_, position) => position)
  const stages = (kind: string) => positions.map((position) => readHeaders(recorded[`${kind}${position}`]))
  return { request: stages('request').filter((headers) => headers !== undefined), response: stages('response') }
}

function readHeaders(text: string | undefined): Headers | undefined {
  if (text === undefined) return undefined
  const decode = (part = ''): string => Buffer.from(part, 'base64').toString('utf8')
  return text.split(',').flatMap((line): Headers => {
    const [name, value] = line.split(':')
    return name ? [[decode(name), decode(value)]] : []
  })
}
