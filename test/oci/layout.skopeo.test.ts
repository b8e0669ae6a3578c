/** The image layouts that `push --output` writes, read by another tool. */

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { digestOf } from '../../cli/src/oci/index.ts'
import { CliFolder } from '../../cli/src/testing.ts'
import { moduleOf } from './module.ts'

const folder = new CliFolder()
afterAll(() => folder.remove())

test.each(['compat', 'artifact'])('skopeo reads and copies the image: %s', async (layout) => {
  writeFileSync(join(folder.path, 'hello.wasm'), moduleOf(100))
  const args = `push hello.wasm oci://ghcr.io/acme/hello:v1 --tag v2 --layout ${layout}`
  const { code, stdout } = await folder.run(`${args} --output image.tar`)
  expect(code).toBe(0)
  const skopeo = (...rest: string[]) => execFileSync('skopeo', rest, { cwd: folder.path, stdio: 'pipe' })
  for (const tag of ['v1', 'v2']) {
    const manifest = skopeo('inspect', '--raw', `oci-archive:image.tar:${tag}`)
    expect(stdout).toBe(`oci://ghcr.io/acme/hello@${digestOf(manifest)}\n`)
  }
  skopeo('--insecure-policy', 'copy', '--preserve-digests', 'oci-archive:image.tar:v1', `dir:${layout}`)
  expect(digestOf(readFileSync(join(folder.path, layout, 'manifest.json')))).toBe(stdout.trim().split('@')[1])
  // The same file again, byte by byte.
  await folder.run(`${args} --output again.tar`)
  expect(readFileSync(join(folder.path, 'again.tar')).equals(readFileSync(join(folder.path, 'image.tar')))).toBe(true)
})
