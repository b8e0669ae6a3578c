/** What the authorization filter asks of its configuration and no schema can say. */

import { isIP } from 'node:net'
import { compileRE2 } from '../regex/reference.ts'

const BLOCKS = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks']

/** Whether it holds, of a configuration that the schema allows. */
export function unsayable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(unsayable)
  const object = value as Record<string, unknown>
  const isAddress = typeof object['attribute'] === 'string' && object['attribute'].endsWith('.ip')
  for (const [name, item] of Object.entries(object)) {
    const isBlocks = BLOCKS.includes(name) || (isAddress && (name === 'values' || name === 'notValues'))
    if (isBlocks && Array.isArray(item) && !(item as string[]).every(isBlock)) return false
    if (name === 'regex' && typeof item === 'string' && !isRegex(item)) return false
    if (name === 'template' && typeof item === 'string' && !isTemplate(item)) return false
    if ((name === 'issuer' || name === 'subject') && hasAnchor(item)) return false
    if (!unsayable(item)) return false
  }
  const { from, to } = object
  return !(typeof from === 'number' && typeof to === 'number' && to < from)
}

/** Of an address, or a block of addresses. */
export function isBlock(text: string): boolean {
  const [address, length, more] = text.split('/') as [string, string?, string?]
  const kind = isIP(address)
  if (!kind || more !== undefined) return false
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (kind === 4 ? 32 : 128))
}

function isRegex(text: string): boolean {
  const compiled = compileRE2(Buffer.from(text).toString('latin1'))
  compiled.free()
  return compiled.error === ''
}

/** Whether a matcher of a claim asks where the text begins or ends: it is matched within a larger one. */
function hasAnchor(matcher: unknown): boolean {
  const { regex } = (matcher ?? {}) as { regex?: unknown }
  if (typeof regex !== 'string') return false
  const bare = regex.replace(/\\Q.*?(\\E|$)|\[\^?\]?([^\]\\]|\\.)*\]|\\[^Az]/gs, '')
  return /[$^]|\\[Az]/.test(bare)
}

/** Of templates with nothing else than segments, `{*}` and, in one place, `{**}`. */
export function isTemplate(text: string): boolean {
  if (!text.startsWith('/')) return false
  const segments = text.slice(1).split('/')
  if (segments.filter((segment) => segment === '{**}').length > 1) return false
  return segments.every((segment) => segment === '{*}' || segment === '{**}' || /^[\w.~:%-]*$/.test(segment))
}
