#!/usr/bin/env node
// Committed, so that `npm ci` links the command before anything is built; the program itself is the bundle beside it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const bundle = new URL('../dist/bin/create.js', import.meta.url)
if (existsSync(fileURLToPath(bundle))) {
  await import(bundle.href)
} else {
  process.stderr.write('create-meshscript: not built yet. Run `npm run build` in the checkout first.\n')
  process.exitCode = 1
}
