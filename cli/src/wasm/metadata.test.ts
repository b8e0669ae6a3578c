import { describe, expect, test } from 'vitest'
import { rewriteCustomSections } from './custom_sections.ts'
import { metadataSections, readModuleMetadata } from './metadata.ts'

const EMPTY = Buffer.from('0061736d01000000', 'hex')
const producers = { language: { AssemblyScript: '0.28.20' }, sdk: { '@meshscript/sdk': '1.2.3', other: '' } }
const withSections = (add: ReadonlyMap<string, Uint8Array>) => rewriteCustomSections(EMPTY, { names: 'all', add })

describe('metadata in a module', () => {
  test('is read as it was written', () => {
    const schema = { title: 'ü', properties: { a: { type: 'string' } } }
    const bytes = withSections(metadataSections(producers, schema))
    expect(WebAssembly.validate(Uint8Array.from(bytes))).toBe(true)
    expect(readModuleMetadata(bytes)).toEqual({ sdk: '1.2.3', producers, schema, imports: [], exports: [] })
  })

  test('follows the tool conventions', () => {
    const [section] = WebAssembly.Module.customSections(
      new WebAssembly.Module(Uint8Array.from(withSections(metadataSections({ language: { C: '11' } })))),
      'producers',
    )
    // One field, its name, one value, its name and version.
    expect(Buffer.from(section!).toString('latin1')).toBe('\x01\x08language\x01\x01C\x0211')
  })

  test('is written once, however often a module is rewritten', () => {
    const first = withSections(metadataSections(producers, { a: 1 }))
    const again = rewriteCustomSections(first, { names: 'all', add: metadataSections(producers, { a: 1 }) })
    expect(again).toEqual(first)
  })

  test.each([
    ['nothing', new Map<string, Uint8Array>()],
    [
      'damaged sections',
      new Map([
        ['producers', Buffer.from([9, 9])],
        ['meshscript.configuration', Buffer.from('{')],
      ]),
    ],
  ])('is empty where there is %s', (_, add) => {
    expect(readModuleMetadata(withSections(add))).toEqual({
      sdk: undefined,
      producers: {},
      schema: undefined,
      imports: [],
      exports: [],
    })
  })
})
