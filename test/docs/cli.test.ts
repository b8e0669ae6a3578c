// The reference of the command is made from the commands as they are.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('npm run docs:cli has nothing to write', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const args = ['scripts/docs-cli.mjs', '--check']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
