/**
 * A small part of the Common Expression Language, which foreign functions `expr_*` take: attributes, literals, lists
 * and maps, index and field, arithmetic, comparison, `in`, boolean operators and `? :`, and the functions below.
 */
import { CelHeaders, CelList, CelMap, CelMessage, CelRecord, type CelValue } from './cel.ts'

/** Finds the value of an identifier. */
export type Resolve = (name: string) => CelValue | undefined
/** Throws an `ExpressionError` where there is no value. */
export type Expression = (resolve: Resolve) => CelValue

export class ExpressionError extends Error {}
export class UnknownFunctionError extends ExpressionError {}

interface Token {
  kind: 'name' | 'string' | 'int' | 'double' | 'op' | 'end'
  text: string
}

const TOKEN =
  /\s*(?:(\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+)|(0x[\da-f]+u?|\d+u?)|(b?r?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))|([a-z_]\w*)|(&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]))/iy
const KINDS = ['double', 'int', 'string', 'name', 'op'] as const
const BINARY = [['||'], ['&&'], ['==', '!=', '<=', '>=', '<', '>', 'in'], ['+', '-'], ['*', '/', '%']]

/** Throws an `ExpressionError` for what it cannot read. */
export function parseExpression(source: string): Expression {
  const parser = new Parser(tokenize(source))
  const expression = parser.ternary()
  parser.expect('end', '')
  return expression
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  const end = source.trimEnd().length
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(source)
    if (!match) throw new ExpressionError(`unexpected '${source.slice(at).trim()[0]}' at ${at + 1}`)
    const index = match.slice(1).findIndex((group) => group !== undefined)
    tokens.push({ kind: KINDS[index]!, text: match[index + 1]! })
  }
  return [...tokens, { kind: 'end', text: '' }]
}

class Parser {
  readonly #tokens: Token[]
  #at = 0

  constructor(tokens: Token[]) {
    this.#tokens = tokens
  }

  ternary(): Expression {
    const condition = this.#binary(0)
    if (!this.#take('?')) return condition
    const yes = this.#binary(0)
    this.expect('op', ':')
    const no = this.ternary()
    return (resolve) => (truth(condition(resolve)) ? yes(resolve) : no(resolve))
  }

  expect(kind: Token['kind'], text: string): void {
    const token = this.#tokens[this.#at++]!
    if (token.kind !== kind || token.text !== text) {
      throw new ExpressionError(`expected '${text || 'end'}', found '${token.text || 'end'}'`)
    }
  }

  #take(...texts: string[]): string | undefined {
    const token = this.#tokens[this.#at]!
    if ((token.kind !== 'op' && token.text !== 'in') || !texts.includes(token.text)) return undefined
    this.#at++
    return token.text
  }

  #binary(level: number): Expression {
    const operators = BINARY[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    for (let op = this.#take(...operators); op !== undefined; op = this.#take(...operators)) {
      left = binary(op, left, this.#binary(level + 1))
    }
    return left
  }

  #unary(): Expression {
    if (this.#take('!')) {
      const inner = this.#unary()
      return (resolve) => !truth(inner(resolve))
    }
    if (this.#take('-')) {
      const inner = this.#unary()
      return (resolve) => {
        const value = inner(resolve)
        if (typeof value !== 'bigint' && typeof value !== 'number') throw noOverload('-')
        return -value
      }
    }
    return this.#member()
  }

  #member(): Expression {
    let value = this.#primary()
    for (;;) {
      if (this.#take('.')) {
        const name = this.#name()
        value = this.#take('(') ? method(name, value, this.#list(')')) : field(value, () => name)
      } else if (this.#take('[')) {
        const key = this.ternary()
        this.expect('op', ']')
        value = field(value, key)
      } else return value
    }
  }

  #name(): string {
    const token = this.#tokens[this.#at++]!
    if (token.kind !== 'name') throw new ExpressionError(`expected a name, found '${token.text || 'end'}'`)
    return token.text
  }

  #list(end: string): Expression[] {
    const items: Expression[] = []
    while (!this.#take(end)) {
      if (items.length > 0) this.expect('op', ',')
      items.push(this.ternary())
    }
    return items
  }

  #primary(): Expression {
    if (this.#take('(')) {
      const inner = this.ternary()
      this.expect('op', ')')
      return inner
    }
    if (this.#take('[')) {
      const items = this.#list(']')
      return (resolve) => new CelList(items.map((item) => item(resolve)))
    }
    if (this.#take('{')) return this.#map()
    const token = this.#tokens[this.#at++]!
    if (token.kind === 'name' && this.#take('(')) return call(token.text, this.#list(')'))
    return literal(token)
  }

  #map(): Expression {
    const entries: [Expression, Expression][] = []
    while (!this.#take('}')) {
      if (entries.length > 0) this.expect('op', ',')
      const key = this.ternary()
      this.expect('op', ':')
      entries.push([key, this.ternary()])
    }
    return (resolve) => new CelRecord(entries.map(([key, value]) => [text(key(resolve)), value(resolve)] as const))
  }
}

function literal({ kind, text: source }: Token): Expression {
  if (kind === 'double') return constant(Number(source))
  if (kind === 'int') return constant(BigInt(source.replace(/u$/i, '')))
  if (kind === 'string') return constant(unquote(source))
  if (kind !== 'name') throw new ExpressionError(`unexpected '${source || 'end'}'`)
  if (source === 'true' || source === 'false') return constant(source === 'true')
  if (source === 'null') return constant(null)
  return (resolve) => {
    const value = resolve(source)
    if (value === undefined) throw new ExpressionError(`No value with name "${source}" found in Activation`)
    return value
  }
}

const constant =
  (value: CelValue): Expression =>
  () =>
    value

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v' }

function unquote(source: string): string {
  const raw = /^b?r/i.test(source)
  const body = source.replace(/^b?r?./i, '').slice(0, -1)
  if (raw) return body
  return body.replace(/\\(x[\da-f]{2}|.)/gi, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
  )
}

function binary(op: string, left: Expression, right: Expression): Expression {
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

function field(object: Expression, key: Expression | (() => string)): Expression {
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

function method(name: string, object: Expression, args: readonly Expression[]): Expression {
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

function call(name: string, args: readonly Expression[]): Expression {
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

function truth(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw new ExpressionError('expected a boolean')
  return value
}

function text(value: CelValue | undefined): string {
  if (typeof value !== 'string') throw new ExpressionError('expected a string')
  return value
}

const noOverload = (op: string) => new ExpressionError(`no matching overload for '${op}'`)
