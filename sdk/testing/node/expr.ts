/**
 * A small part of the Common Expression Language, which foreign functions `expr_*` take: attributes, literals, lists
 * and maps, index and field, arithmetic, comparison, `in`, boolean operators and `? :`, and the functions below.
 */
import { CelList, CelRecord, type CelValue } from './cel.ts'
import {
  binary,
  call,
  type Expression,
  ExpressionError,
  field,
  method,
  noOverload,
  text,
  truth,
} from './expr_operations.ts'

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
