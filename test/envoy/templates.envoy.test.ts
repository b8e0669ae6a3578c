/** The configurations in `envoy/` are what real Envoy takes. */

import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { installEnvoy } from '@meshscript/sdk/testing/envoy/index'
import { buildFilter } from '../../cli/src/build/index.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

for (const file of readdirSync(`${root}envoy`).filter((name) => /^[^.]+\.yaml$/.test(name))) {
  it(`envoy/${file}`, async () => {
    await buildFilter({ path: `${root}examples/hello`, output: `${root}examples/hello/build/hello.wasm` })
    const envoy = await installEnvoy()
    if (envoy.kind !== 'process') throw new Error('this test runs the executable')
    const { stderr, stdout } = await promisify(execFile)(
      envoy.path,
      ['--mode', 'validate', '-c', `envoy/${file}`, '-l', 'error'],
      { cwd: root },
    )
    expect(stdout + stderr).toContain(`configuration 'envoy/${file}' OK`)
  })
}
