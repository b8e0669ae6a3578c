// Runs a TypeScript file of the workspace: `node scripts/run.mjs FILE.ts [ARGUMENTS]`. Packages of the workspace are taken from their sources.

import { pathToFileURL } from 'node:url'
import { fail, run } from './lib/process.mjs'

const flags = [
  '--conditions=meshscript-source',
  '--enable-source-maps',
  ['--import', new URL('./typescript.mjs', import.meta.url).href].join('='),
]

/** Answers the exit code. Ctrl-C reaches the program by itself; this waits for it to clean up. */
export async function runTypeScript(file, args = []) {
  const wait = () => {}
  process.on('SIGINT', wait)
  const { code } = await run(process.execPath, [...flags, file, ...args], { inherit: true, cwd: process.cwd() })
  process.off('SIGINT', wait)
  return code
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, ...args] = process.argv.slice(2)
  if (!file) {
    process.stderr.write('usage: node scripts/run.mjs FILE.ts [ARGUMENTS]\n')
    process.exitCode = 2
  } else {
    await runTypeScript(file, args).then((code) => (process.exitCode = code), fail)
  }
}
