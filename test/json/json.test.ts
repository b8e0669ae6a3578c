import { expect, test } from 'vitest'
import reader from './assembly/index.ts?filter'
import releasing from './assembly/releasing.ts?filter'
import { makeDocument, Random } from './documents.ts'
import { ReaderModule } from './module.ts'
import { bitsOf, judge } from './reference.ts'

test('20 000 documents are read, or refused, as JSON.parse does', () => {
  const module = new ReaderModule(reader)
  const other = new ReaderModule(releasing)
  const random = new Random(20260101)
  let refused = 0
  let memory = 0
  for (let i = 0; i < 20_000; i++) {
    if (i === 10_000) memory = module.memory
    const bytes = makeDocument(random)
    const { accepted, error, tokens } = module.read(bytes)
    const released = other.read(bytes)
    const verdict = judge(bytes)
    const shown = `${i}: ${Buffer.from(bytes).toString('latin1')}`
    if ('error' in verdict) {
      refused++
      expect(accepted, shown).toBe(false)
      expect(error, shown).toMatch(verdict.error)
      expect(released.error, shown).toBe(error)
    } else {
      expect(error, shown).toBeUndefined()
      expect(tokens, shown).toEqual(verdict.tokens)
      expect(released, shown).toEqual({ accepted, error, tokens: [...tokens, ...tokens] })
      expect(accepted).toBe(true)
    }
  }
  // Neither side would be worth much without the other.
  expect(refused).toBeGreaterThan(5000)
  expect(refused).toBeLessThan(15_000)
  expect(module.memory).toBe(memory)
})

test('numbers are the doubles that JSON.parse reads', () => {
  const module = new ReaderModule(reader)
  const random = new Random(7)
  const view = new DataView(new ArrayBuffer(8))
  const known = ['0', '-0', '0.1', '1e-3', '12.5', '1e22', '1e23', '9007199254740993', '5e-324', '2.5e-324', '2.4e-324']
  known.push('1.7976931348623157e308', '2.2250738585072011e-308', '2.2250738585072014e-308', '0e999', '1e-999')
  // The middle between two doubles, and the smallest step above it, hundreds of digits later.
  known.push('9007199254740993.0', `9007199254740993.${'0'.repeat(900)}1`, `0.${'0'.repeat(400)}1e401`)
  known.push(`${'9'.repeat(900)}e-900`, `1${'0'.repeat(900)}e-900`)
  for (let i = 0; i < 5000; i++) {
    view.setUint32(0, random.below(0x100000000))
    view.setUint32(4, random.below(0x100000000))
    const double = view.getFloat64(0)
    if (!Number.isFinite(double)) continue
    known.push(
      String(double),
      double.toPrecision(17),
      double.toExponential(30),
      double.toPrecision(1 + random.below(20)),
    )
  }
  for (const text of known) {
    expect(module.read(text).tokens, text).toEqual([bitsOf(Number(text))])
  }
})

test.each([
  ['random bytes', (random: Random) => Uint8Array.from({ length: random.below(300) }, () => random.below(256))],
  ['brackets', (random: Random) => Buffer.from(random.pick(['[', '{"a":', '[{"":']).repeat(200_000))],
  ['a long string', () => Buffer.from(`"${'\\u0041'.repeat(100_000)}`)],
  ['a long number', () => Buffer.from(`${'1'.repeat(200_000)}e${'9'.repeat(200_000)}`)],
])('hostile: %s', (_name, make) => {
  const module = new ReaderModule(reader)
  const random = new Random(3)
  for (let i = 0; i < 20; i++) expect(module.read(make(random)).error).toMatch(/^configuration:1?\d*:\d+: /)
})

test('an object of many members is read in time in proportion to them', () => {
  const module = new ReaderModule(reader)
  const members = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`member-${i}`, i]))
  const { accepted, tokens } = module.read(JSON.stringify(members))
  expect(accepted).toBe(true)
  expect(tokens).toHaveLength(200_002)
})

test('10 000 rules need little more memory than their text, when each is released', () => {
  const rules = Array.from({ length: 10_000 }, (_, i) => ({
    name: `rule-${i}`,
    from: [{ principals: [`cluster.local/ns/team-${i}/sa/front`], notNamespaces: ['legacy'] }],
    to: [{ methods: ['GET', 'HEAD'], paths: [`/api/v1/items/${i}`, '/api/v1/public/*'] }],
    when: [{ key: 'request.headers[x-tenant]', values: [`tenant-${i}`, 'a"b\\'] }],
  }))
  const text = JSON.stringify({ policies: [{ rules }] })
  const module = new ReaderModule(releasing)
  const { accepted, tokens } = module.read(text)
  expect(accepted).toBe(true)
  expect(tokens.length).toBeGreaterThan(20 * rules.length)
  expect(module.memory - text.length).toBeLessThan(4 * 1024 * 1024)
})

test('an error deep in 10 000 rules is told with its path', () => {
  const rule = '{"to":[{"paths":["/a","/b"]}]}'
  const text = `{"rules":[${`${rule},`.repeat(9999)}${rule.replace('"/b"', '"/b')}]}`
  const module = new ReaderModule(reader)
  expect(module.read(text).error).toBe(
    `configuration:1:${text.lastIndexOf('"/b') + 1}: rules[9999].to[0].paths[1]: string without an end`,
  )
})

test('what does not fit into the memory is refused', () => {
  const module = new ReaderModule(reader)
  expect(module.read('{}').accepted).toBe(true)
  module.leaveMemory(16)
  expect(module.read('[' + '1,'.repeat(100_000))).toMatchObject({
    accepted: false,
    error: 'configuration: it does not fit into the memory of the VM',
  })
  expect(module.read('{}').accepted).toBe(true)
})

test('no configuration is {}', () => {
  expect(new ReaderModule(reader).read('').tokens).toEqual(['{', '}'])
})

test('a binary google.protobuf.Struct is explained', () => {
  const module = new ReaderModule(reader)
  // {a: 1}; {"limit": "x"} with a size, or a name's length, that is a blank in JSON
  for (const struct of [
    '0a0e0a016112091100000000000000f03f',
    '0a0c0a056c696d697412031a0178',
    '0a0d0a096c696d69746c696d6912001a',
    '0a8c010a05' + '6c696d697412' + '00'.repeat(20),
  ]) {
    expect(module.read(Buffer.from(struct, 'hex'))).toMatchObject({
      accepted: false,
      error: expect.stringContaining(
        'is a binary google.protobuf.Struct: wrap its JSON in google.protobuf.StringValue',
      ),
    })
  }
  expect(module.read('\n\n\n{"a": 1}').accepted).toBe(true)
})
