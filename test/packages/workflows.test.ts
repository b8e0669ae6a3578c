// What the workflows run is pinned, bounded, and has no more rights than it needs.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const folder = fileURLToPath(new URL('../../.github/workflows/', import.meta.url))
const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>
}

interface Workflow {
  permissions: unknown
  jobs: Record<string, { 'timeout-minutes'?: number; steps: { uses?: string; run?: string }[] }>
}

test.each(readdirSync(folder))('%s', (name) => {
  const text = readFileSync(folder + name, 'utf8')
  const { permissions, jobs } = parse(text) as Workflow
  expect(permissions).toEqual({ contents: 'read' })
  for (const [job, { 'timeout-minutes': timeout, steps }] of Object.entries(jobs)) {
    expect(timeout, `${job}: timeout-minutes`).toBeGreaterThan(0)
    for (const { uses, run = '' } of steps) {
      // A tag can be moved, a commit can't.
      if (uses) expect(uses).toMatch(/@[0-9a-f]{40}$/)
      for (const [, script = ''] of run.matchAll(/npm run (?:--silent )?([\w:-]+)/g))
        expect(scripts).toHaveProperty(script)
    }
  }
  // The version is said beside each, for people.
  expect(text.match(/uses: .*$/gm)!.filter((line) => !/ # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
})
