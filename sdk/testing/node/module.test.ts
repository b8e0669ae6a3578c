import { describe, expect, it } from 'vitest'
import { compileModule } from './module.ts'

/** Sections as hex behind the header. */
const wasm = (...sections: string[]) => Buffer.from(`0061736d01000000${sections.join('')}`, 'hex')
const section = (id: number, hex: string) => Buffer.from([id, hex.length / 2]).toString('hex') + hex
const name = (text: string) => Buffer.from([text.length]).toString('hex') + Buffer.from(text).toString('hex')

const TYPES = section(1, '02' + '600000' + '60027f7e017f')
const MARKER = section(7, '01' + name('proxy_abi_version_0_2_1') + '0001')

describe('compileModule', () => {
  it('reads imports, exports and custom sections', () => {
    const url = section(0, name('sourceMappingURL') + name('x.map'))
    const { info } = compileModule(
      wasm(
        TYPES,
        section(2, '01' + name('env') + name('f') + '0001'),
        section(3, '0100'),
        MARKER,
        section(10, '01' + '02000b'),
        url,
      ),
    )
    expect(info.imports).toEqual([
      { module: 'env', name: 'f', kind: 'function', signature: { params: 'i32 i64', results: 'i32' } },
    ])
    expect(info.functions.get('proxy_abi_version_0_2_1')).toEqual({ params: '', results: '' })
    expect(info).toMatchObject({ abi: '0.2.1', sourceMapUrl: 'x.map', hasStart: false, hasNames: false })
  })

  it('compiles the same bytes once', () => {
    const bytes = wasm(TYPES, section(3, '020000'), MARKER, section(10, '02' + '02000b' + '02000b'))
    expect(compileModule(bytes)).toBe(compileModule(Buffer.from(bytes)))
  })

  it('says what Envoy says of a bad module', () => {
    expect(() => compileModule(Buffer.from('not wasm'))).toThrow('Failed to parse corrupted Wasm module')
    expect(() => compileModule(wasm())).toThrow('Missing or unknown Proxy-Wasm ABI version')
    // A body that leaves nothing where its type wants a result.
    const bad = wasm(
      section(1, '02' + '600000' + '6000017f'),
      section(3, '020100'),
      MARKER,
      section(10, '02' + '02000b' + '02000b'),
    )
    expect(() => compileModule(bad)).toThrow('Failed to load Wasm bytecode')
  })
})
