/** The header filter: reads `x-user`, adds a request and a response header. By this SDK, by the Rust SDK, and by hand without any. */

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildFilter } from '../../cli/src/build/index.ts'
import { extension, type Json, staticFilter } from '../../sdk/testing/envoy/index.ts'
import { type Variant } from './compare.ts'
import { peers, root, workFolder } from './paths.ts'

/** What the issue asks for. */
export const limits = [
  { name: 'meshscript', other: 'Rust SDK', limit: 0.9 },
  { name: 'meshscript', other: 'by hand', limit: 1.1 },
]

export async function variants(): Promise<{ variants: Variant[]; notes: string[] }> {
  const path = join(root, 'examples/hello')
  const named = await buildFilter({ path, output: join(workFolder(), 'hello.wasm') })
  const stripped = await buildFilter({ path, output: join(workFolder(), 'hello.stripped.wasm'), strip: true })
  const notes = [`size: ${named.size} bytes with names, ${stripped.size} stripped`]
  const list: Variant[] = [wasm('meshscript', named.output)]
  for (const [name, file] of [
    ['Rust SDK', 'rust_hdr.wasm'],
    ['by hand', 'raw_hdr.wasm'],
  ] as const) {
    const peer = join(peers, file)
    if (existsSync(peer)) {
      list.push(wasm(name, peer))
      notes.push(`size of ${name}: ${statSync(peer).size} bytes`)
    } else notes.push(`left out, since its module is not there: ${name}`)
  }
  list.push({ name: 'Envoy native', filters: async () => [nativeHeaders()] })
  return { variants: list, notes }
}

function wasm(name: string, file: string): Variant {
  return { name, filters: async () => [staticFilter('http', 'wasm', { wasm: file, name: 'bench' }, file)] }
}

/** Envoy's own header mutation filter with the same effect. */
function nativeHeaders(): Json {
  const append = (key: string, value: string): Json => ({
    append: { header: { key, value }, append_action: 'APPEND_IF_EXISTS_OR_ADD' },
  })
  return extension('header_mutation', 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
    mutations: {
      request_mutations: [append('x-added', '%REQ(x-user)%')],
      response_mutations: [append('x-resp', '1')],
    },
  })
}
