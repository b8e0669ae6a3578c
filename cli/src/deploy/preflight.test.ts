import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { preflight } from './preflight.ts'
import hello from '../../../examples/hello/assembly/index.ts?filter'

const authorization = () =>
  readFileSync(createRequire(import.meta.url).resolve('@meshscript/filters/dist/authorization.wasm'))

test('a module that takes its configuration', async () => {
  expect(await preflight({ module: readFileSync(hello), configuration: '{"greeting":"hi"}' })).toEqual({ ok: true })
})

test('bytes that are no module', async () => {
  expect(await preflight({ module: Buffer.from('nonsense') })).toMatchInlineSnapshot(`
    {
      "code": "DEP020",
      "logs": [],
      "message": "Envoy would not load the module: not a WebAssembly module: it does not begin with the header of a WebAssembly module, version 1 (WASM001)",
      "ok": false,
    }
  `)
})

test('a configuration that does not fit the schema inside', async () => {
  const configuration = JSON.stringify({ version: 1, polices: [] })
  expect(await preflight({ module: authorization(), configuration })).toMatchInlineSnapshot(`
    {
      "code": "DEP021",
      "logs": [],
      "message": "the configuration does not fit the module's schema: the document must have required property 'policies'; the document must NOT have additional properties: polices",
      "ok": false,
    }
  `)
})

test('a configuration that the filter refuses', async () => {
  const rules = [{ from: [{ principals: [{ regex: '(' }] }] }]
  const configuration = JSON.stringify({ version: 1, policies: [{ name: 'a', action: 'ALLOW', rules }] })
  expect(await preflight({ module: authorization(), configuration })).toMatchInlineSnapshot(`
    {
      "code": "DEP023",
      "logs": [
        "critical: configuration:1:97: policies[0].rules[0].from[0].principals[0].regex: missing ) at byte 1",
      ],
      "message": "the filter refuses its configuration: configuration:1:97: policies[0].rules[0].from[0].principals[0].regex: missing ) at byte 1",
      "ok": false,
    }
  `)
})

test('a configuration that is no JSON', async () => {
  const result = await preflight({ module: authorization(), configuration: '{' })
  expect(result).toMatchObject({
    code: 'DEP021',
    message: expect.stringMatching(/^the configuration is not valid JSON: /),
  })
})
