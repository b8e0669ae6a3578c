// actionlint: what GitHub would find wrong in the workflows.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'

test('actionlint has nothing to say', { timeout: 240_000 }, () => {
  // What shellcheck and pyflakes would add depends on the machine.
  const args = ['run', ACTIONLINT, '-no-color', '-shellcheck=', '-pyflakes=']
  const cwd = fileURLToPath(new URL('../../', import.meta.url))
  const { status, stdout, stderr } = spawnSync('go', args, { cwd, encoding: 'utf8' })
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: '' })
})
