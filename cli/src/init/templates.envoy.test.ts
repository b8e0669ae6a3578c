/** What a user gets of each template passes its own specs, by what its `npm test` calls, on both hosts. */

import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findEnvoy } from '@meshscript/sdk/testing/envoy'
import { afterEach, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'
import { templateNames } from './templates.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

let folder: CliFolder
afterEach(() => folder.remove())

test.each(templateNames)('the project of template %s passes its tests', { timeout: 120_000 }, async (template) => {
  folder = new CliFolder()
  const made = await folder.run(['init', '.', '--name', 'made', '--template', template])
  expect(made.code, made.stderr).toBe(0)
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'), 'dir')
  const { scripts } = JSON.parse(readFileSync(join(folder.path, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const [command, ...args] = scripts['test']!.split(' ')
  expect(command).toBe('meshscript')

  const envoy = await findEnvoy()
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    ...(envoy?.kind === 'process' && { ENVOY_PATH: envoy.path }),
  }
  const { code, stdout, stderr } = await folder.run([...args, '--json'], { env })
  expect(code, stdout + stderr).toBe(0)
  const { hosts } = JSON.parse(stdout) as { hosts: { host: string; passed: number; skipped: number }[] }
  expect(hosts.map(({ host }) => host)).toEqual(['node', 'envoy'])
  for (const { passed, skipped } of hosts) {
    expect(passed).toBeGreaterThanOrEqual(3)
    expect(skipped).toBe(0)
  }
  // Each host has run the same.
  expect(hosts[0]!.passed).toBe(hosts[1]!.passed)
})
