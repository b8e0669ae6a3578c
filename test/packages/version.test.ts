// A changeset raises all packages together, in a copy of the checkout's manifests.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publishedPackages } from '../../scripts/lib/packages.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const packages = publishedPackages()
const folder = mkdtempSync(join(tmpdir(), 'meshscript-version-'))
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

beforeAll(() => {
  for (const path of ['scripts', '.changeset', 'package.json', 'CHANGELOG.md']) {
    cpSync(join(root, path), join(folder, path), { recursive: true })
  }
  for (const { folder: workspace } of packages) {
    mkdirSync(join(folder, workspace))
    cpSync(join(root, workspace, 'package.json'), join(folder, workspace, 'package.json'))
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  run('git', 'init', '--quiet', '--initial-branch=main')
  run('git', 'add', ...packages.map(({ folder: workspace }) => workspace), 'package.json', '.changeset')
  run('git', '-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '-m', 'start')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('all packages are one fixed group', () => {
  const { fixed } = JSON.parse(read('.changeset/config.json')) as { fixed: string[][] }
  expect(fixed.map((group) => group.sort())).toEqual([packages.map(({ manifest }) => manifest.name).sort()])
})

test(
  'a changeset of one package raises the version of all, and what they say of each other',
  { timeout: 60_000 },
  () => {
    const [old = ''] = packages.map(({ manifest }) => manifest.version)
    const [major, minor] = old.split('.').map(Number)
    const next = `${major}.${minor! + 1}.0`
    writeFileSync(join(folder, '.changeset/first.md'), "---\n'@meshscript/filters': minor\n---\n\nA filter more.\n")

    expect(run('node', 'scripts/version.mjs', '--no-lock')).toContain(`${old} → ${next}`)
    for (const { folder: workspace } of packages) {
      const { version, dependencies = {} } = JSON.parse(read(`${workspace}/package.json`)) as {
        version: string
        dependencies?: Record<string, string>
      }
      expect(version).toBe(next)
      for (const { manifest } of packages) expect([undefined, next]).toContain(dependencies[manifest.name])
    }
    expect(read('filters/CHANGELOG.md')).toMatch(/A filter more\./)
    expect(read('CHANGELOG.md')).toMatch(new RegExp(`## \\[Unreleased\\]\n\n## \\[${next}\\] - \\d{4}-\\d\\d-\\d\\d\n`))

    expect(run('node', 'scripts/version.mjs', '--no-lock')).toContain(`the version stays ${next}`)
  },
)
