/** The modules under test, built for this run. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildFilter } from '../../cli/src/build/index.ts'
import { root, workFolder } from '../bench/paths.ts'

export const BUILDS = ['release', 'debug'] as const
export type Build = (typeof BUILDS)[number]

/** Builds a filter of this repository; answers the path of the module. */
export async function build(path: string, kind: Build): Promise<string> {
  const name = path.replaceAll(/\W+/g, '-')
  const { output } = await buildFilter({
    path: join(root, path),
    output: join(workFolder(), `${name}.${kind}.wasm`),
    debug: kind === 'debug',
  })
  return output
}

export function compile(path: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(path))
}
