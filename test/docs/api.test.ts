// The reference of the SDK can be made of its sources: no link leads nowhere, nothing public is without a word about it.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'meshscript-api-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('npm run docs:sdk', { timeout: 180_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/docs-sdk.mjs', folder], {
    cwd: root,
    encoding: 'utf8',
  })
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' })
  for (const page of [
    'classes/_meshscript_sdk.HttpContext.html',
    'functions/_meshscript_sdk_testing.createHost.html',
    'classes/_meshscript_filters.RuleIndex.html',
  ]) {
    expect(existsSync(join(folder, page)), page).toBe(true)
  }
})
