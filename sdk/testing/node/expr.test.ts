import { describe, expect, it } from 'vitest'
import { CelRecord, type CelValue, serializeCel } from './cel.ts'
import { parseExpression } from './expr.ts'
import { ExpressionError, UnknownFunctionError } from './expr_operations.ts'

const request = new CelRecord([
  ['path', '/admin/x'],
  ['method', 'GET'],
  ['size', 5n],
  ['headers', new CelRecord([['x-user', 'bob']])],
])
const evaluate = (source: string): CelValue =>
  parseExpression(source)((name) => (name === 'request' ? request : undefined))

describe('expressions', () => {
  it.each<[string, CelValue]>([
    ['request.path', '/admin/x'],
    ['request["method"]', 'GET'],
    ['request.headers["x-user"] == "bob"', true],
    ['request.path.startsWith("/admin") && request.method in ["GET", "HEAD"]', true],
    ['!(request.size > 5) || false', true],
    ['request.size + 2 * 3', 11n],
    ['1.5 * 2.0', 3],
    ['-request.size', -5n],
    ['"a" + \'b\'', 'ab'],
    ['r"\\d"', '\\d'],
    ['"\\x41\\n"', 'A\n'],
    ['request.path.size()', 8n],
    ['size([1, 2])', 2n],
    ['request.path.matches("^/adm")', true],
    ['"user" in {"user": 1}', true],
    ['request.size == 5 ? "five" : "other"', 'five'],
    ['has(request.headers.none)', false],
    ['has(request.path)', true],
    ['[1, 2] == [1, 2]', true],
    // One side decides, so that the error of the other does not matter.
    ['request.none == "x" || true', true],
    ['false && request.none == "x"', false],
  ])('%s', (source, value) => {
    expect(evaluate(source)).toEqual(value)
  })

  it.each(['((', 'request.', 'a b', '[1', '"open', '1 +', '#'])('cannot read %s', (source) => {
    expect(() => parseExpression(source)).toThrow(ExpressionError)
  })

  it('refuses functions that it does not know before anything is evaluated', () => {
    expect(() => parseExpression('nofn(1)')).toThrow(UnknownFunctionError)
    expect(() => parseExpression('request.path.foo()')).toThrow(UnknownFunctionError)
  })

  it.each(['nosuch', 'request.none', 'request.path > 1', '1 / 0', 'request.size && true'])(
    'has no value for %s',
    (source) => {
      expect(() => evaluate(source)).toThrow(ExpressionError)
    },
  )

  it('gives lists as pairs without values', () => {
    expect(serializeCel(evaluate('[request.path, "b"]'))!.toString('hex')).toBe(
      '02000000' + '08000000' + '00000000' + '01000000' + '00000000' + '2f61646d696e2f7800' + '00' + '6200' + '00',
    )
  })
})
