/** Two changes of headers, one after the other, as one. */
import type { OperationsConfig } from './model.ts'

/** Of a header that both change the second one counts, and what it adds is beside what the first one leaves. */
export function joinOperations(first: OperationsConfig, second: OperationsConfig): OperationsConfig {
  const { set: otherSet = {}, add: otherAdd = {}, remove: otherRemove = [] } = second
  const isReplaced = (name: string) => Object.hasOwn(otherSet, name) || otherRemove.includes(name)
  const rest = (values: Record<string, string> = {}) => Object.entries(values).filter(([name]) => !isReplaced(name))
  const set = { ...Object.fromEntries(rest(first.set)), ...otherSet }
  const add = Object.fromEntries(rest(first.add))
  // A header has one value in a configuration; HTTP takes several with commas between them for the same.
  for (const [name, value] of Object.entries(otherAdd))
    add[name] = Object.hasOwn(add, name) ? `${add[name]},${value}` : value
  const remove = [...new Set([...(first.remove ?? []), ...otherRemove])].filter(
    (name) => !Object.hasOwn(otherSet, name),
  )
  return {
    ...(remove.length && { remove }),
    ...(Object.keys(set).length && { set }),
    ...(Object.keys(add).length && { add }),
  }
}
