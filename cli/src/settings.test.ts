import { join } from 'node:path'
import { Ajv } from 'ajv'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import schema from '../meshscript.schema.json' with { type: 'json' }
import { readSettings, type Settings } from './settings.ts'
import { CliFolder } from './testing.ts'

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder()
})
afterEach(() => folder.remove())

const write = (name: string, content: unknown) => folder.write(name, JSON.stringify(content))
const COMPLETE = {
  $schema: './node_modules/meshscript/meshscript.schema.json',
  alias: { 'an-older-sdk': '@meshscript/sdk' },
  filter: '.',
  configuration: 'config.json',
  registry: 'oci://ghcr.io/acme/hello',
  insecure: false,
  deploy: {
    namespace: 'shop',
    phase: 'AUTHN',
    priority: -1,
    selector: { app: 'shop' },
    failStrategy: 'FAIL_CLOSE',
    pluginName: 'hello',
  },
  run: { upstream: '127.0.0.1:8080' },
}

describe('readSettings', () => {
  test('there are none', () => {
    expect(readSettings(folder.path)).toEqual({})
  })

  test('reads all fields; paths are relative to the file', () => {
    write('meshscript.json', COMPLETE)
    const { $schema: _, ...rest } = COMPLETE
    const expected = {
      ...rest,
      file: join(folder.path, 'meshscript.json'),
      filter: folder.path,
      configuration: join(folder.path, 'config.json'),
    }
    expect(readSettings(folder.path)).toEqual(expected satisfies object)
    expect(readSettings(join(folder.path, 'not/there/yet'))).toEqual(expected)
  })

  test('reads the section of package.json', () => {
    write('package.json', { name: 'hello', meshscript: { registry: 'ghcr.io/acme/hello' } })
    expect(readSettings(folder.path)).toEqual({
      registry: 'ghcr.io/acme/hello',
      file: join(folder.path, 'package.json'),
    } satisfies Settings)
  })

  test('takes the nearest folder that has settings, and of it the field of meshscript.json', () => {
    write('meshscript.json', { registry: 'outer', configuration: 'outer.json' })
    write('inner/package.json', { name: 'no settings' })
    expect(readSettings(join(folder.path, 'inner')).registry).toBe('outer')
    write('inner/package.json', { meshscript: { registry: 'package', insecure: true } })
    expect(readSettings(join(folder.path, 'inner'))).toMatchObject({ registry: 'package', insecure: true })
    write('inner/meshscript.json', { registry: 'own' })
    const settings = readSettings(join(folder.path, 'inner/deeper'))
    expect(settings).toMatchObject({ registry: 'own', insecure: true })
    expect(settings.configuration).toBeUndefined()
  })

  test('takes a byte order mark', () => {
    folder.write('meshscript.json', '\uFEFF{ "insecure": true }')
    expect(readSettings(folder.path).insecure).toBe(true)
  })
})

describe('mistakes', () => {
  test.each<[unknown, string, string]>([
    [{ registy: 'x' }, 'SET001', 'unknown field registy; did you mean registry?'],
    [{ deploy: { namespaces: 'x' } }, 'SET001', 'unknown field deploy.namespaces; did you mean namespace?'],
    [{ run: { banana: 1 } }, 'SET001', 'unknown field run.banana; known are upstream'],
    [{ constructor: 1 }, 'SET001', 'unknown field constructor; known are alias, filter,'],
    [[], 'SET003', 'the document has to be an object'],
    [null, 'SET003', 'the document has to be an object'],
    [{ alias: 5 }, 'SET003', 'alias has to be an object'],
    [{ alias: { a: 1 } }, 'SET003', 'alias.a has to be a string'],
    [{ filter: '' }, 'SET003', 'filter has to be more than nothing'],
    [{ insecure: 'yes' }, 'SET003', 'insecure has to be true or false'],
    [{ deploy: { phase: 'authn' } }, 'SET003', 'deploy.phase has to be one of UNSPECIFIED_PHASE, AUTHN, AUTHZ, STATS'],
    [{ deploy: { priority: 1.5 } }, 'SET003', 'deploy.priority has to be a whole number'],
    [{ deploy: { priority: 2 ** 31 } }, 'SET003', 'deploy.priority has to be from -2147483648 to 2147483647'],
    [{ deploy: { selector: { app: true } } }, 'SET003', 'deploy.selector.app has to be a string'],
    [{ run: { upstream: 'localhost' } }, 'SET003', 'run.upstream has to be HOST:PORT'],
  ])('%j', (content, code, message) => {
    write('meshscript.json', content)
    const failure = expect.objectContaining({ code, message: expect.stringContaining(message) })
    expect(() => readSettings(folder.path)).toThrow(failure)
    expect(() => readSettings(folder.path)).toThrow(join(folder.path, 'meshscript.json'))
    // Editors, which take the schema, say the same.
    expect(new Ajv({ strict: true }).validate(schema, content)).toBe(false)
  })

  test('in package.json are named there', () => {
    write('package.json', { meshscript: { alias: { a: 1 } } })
    expect(() => readSettings(folder.path)).toThrow(
      `${folder.path}/package.json: meshscript.alias.a has to be a string`,
    )
  })

  test.each(['{ alias', ''])('no JSON: %j', (text) => {
    folder.write('meshscript.json', text)
    expect(() => readSettings(folder.path)).toThrow(
      expect.objectContaining({ code: 'SET002', message: expect.stringContaining('is not valid JSON: ') }),
    )
  })
})

test('the schema takes what the reader takes', () => {
  expect(new Ajv({ strict: true }).validate(schema, COMPLETE)).toBe(true)
})
