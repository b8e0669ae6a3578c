import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'
import { readModuleMetadata } from '../wasm/metadata.ts'

const filter = (name: string, callback = 'onRequestHeaders') => `import { Action, HttpContext } from '@meshscript/sdk'

export class ${name} extends HttpContext {
  ${callback}(): Action {
    return Action.Continue
  }
}
`
const SCHEMA = {
  $id: 'x',
  type: 'object',
  properties: { a: { $ref: '#/definitions/a' } },
  definitions: { a: { type: 'string' } },
}
const OTHERS = {
  'tcp.ts': `import { StreamContext } from '@meshscript/sdk'\nexport class Tcp extends StreamContext {}\n`,
  'registers.ts': `import { registerRoot, RootContext } from '@meshscript/sdk'\nexport class R extends RootContext {}\nregisterRoot('x', () => new R())\n`,
  'nothing.ts': 'export const a = 1\n',
  'version.ts': filter('V'),
}

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder({
    'package.json': '{}',
    'one/assembly/index.ts': filter('One'),
    'one/schema.json': JSON.stringify(SCHEMA),
    'two.ts': filter('Two', 'onResponseHeaders'),
    'deep/one.ts': filter('OtherOne'),
    ...OTHERS,
  })
})
afterEach(() => folder.remove())

const metadata = (file: string) => readModuleMetadata(readFileSync(join(folder.path, file)))

describe('build --bundle', () => {
  test('makes one module of own filters', async () => {
    const { code, stdout, stderr } = await folder.run('build --bundle one,./two.ts')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^build\/bundle\.wasm {2}[\d.]+ KB {2}\d+ ms\n$/)
    const { exports, schema } = metadata('build/bundle.wasm')
    expect(exports.filter((name) => /^proxy_on_.*headers|tick|body/.test(name))).toEqual([
      'proxy_on_request_headers',
      'proxy_on_response_headers',
    ])
    expect(schema).toMatchObject({
      required: ['version'],
      additionalProperties: false,
      properties: {
        version: { const: 1 },
        one: { properties: { a: { $ref: '#/properties/one/definitions/a' } } },
        two: {},
      },
    })
  })

  test('makes one of ready filters and own ones, the same bytes each time', async () => {
    expect((await folder.run('build --bundle authorization,one -o a.wasm')).stderr).toBe('')
    expect((await folder.run('build --bundle authorization,one -o b.wasm')).stderr).toBe('')
    expect(readFileSync(join(folder.path, 'a.wasm')).equals(readFileSync(join(folder.path, 'b.wasm')))).toBe(true)
    const { properties } = metadata('a.wasm').schema as { properties: Record<string, { properties: object }> }
    expect(Object.keys(properties)).toEqual(['$schema', 'version', 'authorization', 'one'])
    expect(properties['authorization']!.properties).toHaveProperty('policies')
  })

  test.each([
    ['authorisation', 'BUILD031', /there is no filter authorisation: .*; did you mean authorization\?/],
    ['xyz', 'BUILD031', /neither a file or folder nor one of authorization, /],
    ['one,deep/one.ts', 'BUILD032', /two filters of the bundle are called one/],
    ['one,one', 'BUILD032', /two filters/],
    ['version.ts', 'BUILD032', /can't be called version/],
    ['package.json', 'BUILD003', /not a TypeScript file/],
    ['one,tcp.ts', 'BUILD010', /tcp\.ts:2:14 .*In a bundle: filters are for HTTP/],
    ['one,registers.ts', 'BUILD010', /registers\.ts.*In a bundle: a filter has one root context/],
    ['one,nothing.ts', 'BUILD010', /nothing\.ts.*this file has none/],
  ])('%s is refused', async (filters, code, message) => {
    const result = await folder.run(`build --bundle ${filters}`)
    expect(result.code).toBe(1)
    expect(result.stderr).toContain(code)
    expect(result.stderr).toMatch(message)
    expect(existsSync(join(folder.path, 'build'))).toBe(false)
  })

  test.each(['build --bundle ,', 'build --bundle one,,two.ts'])('%s is wrong usage', async (command) => {
    expect(await folder.run(command)).toMatchObject({ code: 2, stderr: expect.stringContaining('--bundle') as string })
  })
})
