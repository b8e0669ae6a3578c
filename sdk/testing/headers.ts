/** Headers as specs write them and read them. */
import type { HeaderList, HeadersInit } from './types.ts'

/** One pair per header line, names in lower case, in the order given. */
export function headerPairs(init: HeadersInit | undefined): [string, string][] {
  if (!init) return []
  if (Array.isArray(init)) return init.map(([name, value]: [string, string]) => [name.toLowerCase(), value])
  const pairs: [string, string][] = []
  for (const [name, value] of Object.entries(init as Record<string, string | readonly string[]>)) {
    for (const line of typeof value === 'string' ? [value] : value) pairs.push([name.toLowerCase(), line])
  }
  return pairs
}

/** A list over `entries`, whose names are in lower case. It is not copied. */
export function headerList(entries: readonly (readonly [string, string])[]): HeaderList {
  return new Headers(entries)
}

class Headers implements HeaderList {
  readonly entries: readonly (readonly [string, string])[]

  constructor(entries: readonly (readonly [string, string])[]) {
    this.entries = entries
  }

  get(name: string): string | undefined {
    const values = this.getAll(name)
    return values.length > 0 ? values.join(', ') : undefined
  }

  getAll(name: string): string[] {
    const key = name.toLowerCase()
    return this.entries.filter(([other]) => other === key).map(([, value]) => value)
  }

  has(name: string): boolean {
    const key = name.toLowerCase()
    return this.entries.some(([other]) => other === key)
  }

  toJSON(): Record<string, string | string[]> {
    const result: Record<string, string | string[]> = {}
    for (const [name, value] of this.entries) {
      const old = result[name]
      result[name] = old === undefined ? value : [...(Array.isArray(old) ? old : [old]), value]
    }
    return result
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    for (const [name, value] of this.entries) yield [name, value]
  }
}
