/** What operators, methods and functions of expressions do. */
import { CelHeaders, CelList, CelMap, CelMessage, CelRecord, type CelValue } from './cel.ts'

/** Finds the value of an identifier. */
export type Resolve = (name: string) => CelValue | undefined
/** Throws an `ExpressionError` where there is no value. */
export type Expression = (resolve: Resolve) => CelValue

export class ExpressionError extends Error {}
export class UnknownFunctionError extends ExpressionError {}

export function binary(op: string, left: Expression, right: Expression): Expression {
  // As CEL has it, one side that decides makes an error of the other side irrelevant.
  if (op === '&&' || op === '||') {
    const deciding = op === '||'
    return (resolve) => {
      let failure: Error | undefined
      for (const side of [left, right]) {
        try {
          if (truth(side(resolve)) === deciding) return deciding
        } catch (error) {
          failure ??= error as Error
        }
      }
      if (failure) throw failure
      return !deciding
    }
  }
  if (op === 'in') return (resolve) => contains(right(resolve), left(resolve))
  if (op === '==') return (resolve) => equal(left(resolve), right(resolve))
  if (op === '!=') return (resolve) => !equal(left(resolve), right(resolve))
  if (['<', '>', '<=', '>='].includes(op)) return (resolve) => compare(op, left(resolve), right(resolve))
  return (resolve) => arithmetic(op, left(resolve), right(resolve))
}

function arithmetic(op: string, a: CelValue, b: CelValue): CelValue {
  if (op === '+' && typeof a === 'string' && typeof b === 'string') return a + b
  if (op === '+' && a instanceof CelList && b instanceof CelList) return new CelList([...a.items, ...b.items])
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    if ((op === '/' || op === '%') && b === 0n) throw new ExpressionError('divide by zero')
    return { '+': () => a + b, '-': () => a - b, '*': () => a * b, '/': () => a / b, '%': () => a % b }[op]!()
  }
  if (typeof a === 'number' && typeof b === 'number' && op !== '%') {
    return { '+': a + b, '-': a - b, '*': a * b, '/': a / b }[op]!
  }
  throw noOverload(op)
}

function compare(op: string, a: CelValue, b: CelValue): boolean {
  const ordered = ['string', 'bigint', 'number', 'boolean']
  if (a === null || b === null || typeof a !== typeof b || !ordered.includes(typeof a)) throw noOverload(op)
  return { '<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b }[op]!
}

function equal(a: CelValue, b: CelValue): boolean {
  if (a instanceof CelList && b instanceof CelList) {
    return a.items.length === b.items.length && a.items.every((item, index) => equal(item, b.items[index]!))
  }
  if (a instanceof CelMap && b instanceof CelMap) {
    const entries = a.entries()
    return (
      entries.length === b.entries().length &&
      entries.every(([key, value]) => {
        const other = b.get(key)
        return other !== undefined && equal(value, other)
      })
    )
  }
  return a === b
}

function contains(collection: CelValue, item: CelValue): boolean {
  if (collection instanceof CelList) return collection.items.some((other) => equal(other, item))
  if (collection instanceof CelMap) return collection.get(text(item)) !== undefined
  throw noOverload('in')
}

export function field(object: Expression, key: Expression | (() => string)): Expression {
  return (resolve) => {
    const container = object(resolve)
    const name = key(resolve)
    let value: CelValue | undefined
    if (container instanceof CelList && typeof name === 'bigint') value = container.items[Number(name)]
    else if (container instanceof CelMap || container instanceof CelMessage) value = container.get(text(name))
    if (value === undefined)
      throw new ExpressionError(`Key not found in map : "${typeof name === 'object' ? '' : name}"`)
    return value
  }
}

const METHODS: Record<string, (value: CelValue, args: readonly CelValue[]) => CelValue> = {
  startsWith: (value, [part]) => text(value).startsWith(text(part)),
  endsWith: (value, [part]) => text(value).endsWith(text(part)),
  contains: (value, [part]) => text(value).includes(text(part)),
  matches: (value, [pattern]) => new RegExp(text(pattern)).test(text(value)),
  size: (value) => size(value),
}

export function method(name: string, object: Expression, args: readonly Expression[]): Expression {
  const run = Object.hasOwn(METHODS, name) ? METHODS[name]! : undefined
  if (!run) throw new UnknownFunctionError(`No overloads provided for FunctionCall: ${name}`)
  return (resolve) => {
    const values = [object(resolve), ...args.map((arg) => arg(resolve))]
    return run(values[0]!, values.slice(1))
  }
}

const FUNCTIONS: Record<string, (args: readonly CelValue[]) => CelValue> = {
  size: ([value]) => size(value!),
  string: ([value]) => {
    if (typeof value === 'object') throw noOverload('string')
    return String(value)
  },
  bytes: ([value]) => text(value),
  int: ([value]) => BigInt(typeof value === 'number' ? Math.trunc(value) : (value as string | bigint)),
  uint: ([value]) => BigInt(typeof value === 'number' ? Math.trunc(value) : (value as string | bigint)),
  double: ([value]) => Number(value),
  matches: ([value, pattern]) => METHODS['matches']!(value!, [pattern!]),
}

export function call(name: string, args: readonly Expression[]): Expression {
  if (name === 'has' && args.length === 1) {
    const [inner] = args
    return (resolve) => {
      try {
        return inner!(resolve) !== undefined
      } catch (error) {
        if (error instanceof ExpressionError) return false
        throw error
      }
    }
  }
  const run = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : undefined
  if (!run) throw new UnknownFunctionError(`No overloads provided for FunctionCall: ${name}`)
  return (resolve) => run(args.map((arg) => arg(resolve)))
}

function size(value: CelValue): bigint {
  if (typeof value === 'string') return BigInt(value.length)
  if (value instanceof CelList) return BigInt(value.items.length)
  if (value instanceof CelRecord || value instanceof CelHeaders) return BigInt(value.entries().length)
  throw noOverload('size')
}

export function truth(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw new ExpressionError('expected a boolean')
  return value
}

export function text(value: CelValue | undefined): string {
  if (typeof value !== 'string') throw new ExpressionError('expected a string')
  return value
}

export const noOverload = (op: string) => new ExpressionError(`no matching overload for '${op}'`)
