// The tables of fields in the filters' pages are those of their schemas.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('npm run docs:filters has nothing to write', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const args = ['scripts/docs-filters.mjs', '--check']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
