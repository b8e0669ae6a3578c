/** Hubble's own program with the same flows and options: what the other tests expect is what it does. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CliFolder } from '../../../cli/src/testing.ts'
import { buildHubble } from '../../../scripts/hubble.mjs'
import { flows, linesOf } from './flows.ts'
import { refused, shown } from './hubble.ts'

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))

let folder: CliFolder
let program: string
beforeAll(async () => {
  folder = new CliFolder({ 'flows.ndjson': linesOf(flows) })
  program = await buildHubble()
}, 900_000)
afterAll(() => folder.remove())

function hubble(options: readonly string[]): Promise<{ code: number; stdout: string }> {
  const words = ['observe', '--input-file', 'flows.ndjson', ...options]
  const env = { HOME: folder.path, PATH: process.env['PATH'] }
  return new Promise((resolve) => {
    execFile(program, words, { cwd: folder.path, env }, (error, stdout) =>
      resolve({ code: error ? Number(error.code) : 0, stdout }),
    )
  })
}

test('fixtures are as it prints them', async () => {
  const options: Record<string, string> = {
    'dict-nodes-colors': '-o dict --print-node-name --color always --not --protocol dns',
    'table-nodes': '-o table --print-node-name --color always',
    numeric: '--numeric',
    policies: '--print-policy-names --print-node-name -t policy-verdict',
    colors: '--color always --not --protocol dns',
  }
  for (const name of readdirSync(fixtures).map((file) => file.replace(/\.txt$/, ''))) {
    const [, format] = /^time-(.*)$/.exec(name) ?? []
    const words = options[name] ?? (format ? `--time-format ${format}` : `-o ${name}`)
    const { stdout } = await hubble(words.split(' '))
    // Its authors have it vary: https://protobuf.dev/reference/go/faq/#unstable-json
    const text = name === 'jsonpb' ? stdout.replaceAll(/([{,]"\w+":) /g, '$1') : stdout
    expect(text, name).toBe(readFileSync(`${fixtures}/${name}.txt`, 'utf8'))
  }
})

test('it shows the same flows for the same options', async () => {
  const all = (await hubble([])).stdout.trimEnd().split('\n')
  for (const [options, numbers] of shown) {
    const { code, stdout } = await hubble(options)
    const found = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => all.indexOf(line))
    expect({ options, code, found }).toEqual({ options, code: 0, found: numbers })
  }
})

test('it refuses the same options', async () => {
  for (const options of refused) expect({ options, code: (await hubble(options)).code }).toEqual({ options, code: 1 })
})
