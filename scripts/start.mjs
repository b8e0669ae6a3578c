// `npm start`: installs, builds, and shows a policy at work in real Envoy. `npm start -- --once` ends after the table.

import { join } from 'node:path'
import { build } from './build.mjs'
import { fail } from './lib/process.mjs'
import { root } from './lib/steps.mjs'
import { runTypeScript } from './run.mjs'
import { setup } from './setup.mjs'

await setup()
  .then(build)
  .then(() => runTypeScript(join(root, 'examples/payments/run.ts'), process.argv.slice(2)))
  .then((code) => (process.exitCode = code), fail)
