// `npm start`: installs, builds, and shows policies at work in real Envoy: who may ask a service, and where a workload's requests go.
// `npm start -- --once` ends after the tables; else the first Envoy stays up.

import { join } from 'node:path'
import { build } from './build.mjs'
import { fail } from './lib/process.mjs'
import { root } from './lib/steps.mjs'
import { runTypeScript } from './run.mjs'
import { setup } from './setup.mjs'

const show = (example) => runTypeScript(join(root, `examples/${example}/run.ts`), process.argv.slice(2))

await setup()
  .then(build)
  .then(async () => (await show('reviews')) || (await show('payments')))
  .then((code) => (process.exitCode = code), fail)
