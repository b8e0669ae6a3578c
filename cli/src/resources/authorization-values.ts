/** Forms of single values in AuthorizationPolicies. */
import { isIPv4, isIPv6 } from 'node:net'
import type { Code } from './codes.ts'

export interface Problem {
  /** Default MS1106. */
  code?: Code
  message: string
  hint?: string
}

/** An address, or a block of them in CIDR form. */
export function checkAddress(value: string): Problem | undefined {
  const slash = value.indexOf('/')
  const address = slash < 0 ? value : value.slice(0, slash)
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined
  const length = slash < 0 ? '0' : value.slice(slash + 1)
  // An IPv6 zone means nothing on another machine.
  if (bits && !address.includes('%') && /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= bits) return undefined
  const hint = 'write e.g. "10.1.2.3", "10.0.0.0/8" or "2001:db8::/32"'
  return { message: `${JSON.stringify(value)} is not an IP address or a block of them`, hint }
}

export function checkPort(value: string): Problem | undefined {
  if (/^\d+$/.test(value) && Number(value) <= 65535) return undefined
  return { message: `${JSON.stringify(value)} is not a port`, hint: 'write a number from 0 to 65535, in quotes' }
}

export function checkServiceAccount(value: string): Problem | undefined {
  const hint = 'write "ACCOUNT" or "NAMESPACE/ACCOUNT"'
  if (value.includes('*')) return { message: `${JSON.stringify(value)}: a service account has no wildcard`, hint }
  const parts = value.split('/')
  if (parts.length <= 2 && parts.every((part) => part !== '')) return undefined
  return { message: `${JSON.stringify(value)} is not a service account`, hint }
}

export function checkTrustDomain(value: string): Problem | undefined {
  if (value.includes('/')) {
    const hint = `write ${JSON.stringify(value.slice(0, value.indexOf('/')))}`
    return { message: `${JSON.stringify(value)} is not a trust domain: it has no "/"`, hint }
  }
  return checkWildcard(value)
}

/** In conditions Istio looks at the star alone: `td/ns/a` is one namespace of a trust domain. */
export function checkWildcard(value: string): Problem | undefined {
  if (!value.slice(1, -1).includes('*') && value.split('*').length <= 2) return undefined
  const hint = 'write e.g. "td", "td-*", "*-td" or "*"'
  return { message: `${JSON.stringify(value)}: only one star is allowed, in front or behind`, hint }
}

const operators = ['{*}', '{**}']

/** Whether Istio reads a path as a template. */
export function isPathTemplate(path: string): boolean {
  return operators.some((operator) => path.includes(operator))
}

/** `{*}` and `{**}` stand for whole segments, `{**}` is the last of them, and all else is literal. */
export function checkPath(path: string): Problem | undefined {
  const problem = (hint: string): Problem => ({
    code: 'MS1205',
    message: `${JSON.stringify(path)} is not a valid path template`,
    hint,
  })
  const isTemplate = isPathTemplate(path)
  if (isTemplate && !path.startsWith('/')) return problem('begin it with "/"')
  let afterAny = false
  for (const segment of path.replace(/^\/+|\/+$/g, '').split('/')) {
    if (operators.includes(segment)) {
      if (afterAny) return problem('no {*} or {**} may follow {**}')
      afterAny = segment === '{**}'
    } else if (/[{}]/.test(segment)) return problem('braces are only for {*} and {**}, each a whole segment')
    else if (isTemplate && segment === '') return problem('write single slashes: a segment is not empty')
    else if (isTemplate && !/^[\w\-.~%!$&'()+,;:@=]+$/.test(segment)) {
      const hint = segment.includes('*')
        ? 'write {*} or {**} for a star'
        : `${JSON.stringify(segment)} has a character that must be percent-encoded`
      return problem(hint)
    }
  }
  return undefined
}
