// `npm run demo:docker`: what `npm start` shows, in containers. `-- --once` ends after the table; `-- --prepare` only makes the
// files that envoy/docker-compose.yml reads; `-- --local` runs images of this machine's programs instead of public ones.

import { join } from 'node:path'
import { build } from './build.mjs'
import { buildImage } from './docker-image.mjs'
import { fail } from './lib/process.mjs'
import { root, timed } from './lib/steps.mjs'
import { runTypeScript } from './run.mjs'
import { setup } from './setup.mjs'

async function localImages() {
  for (const name of ['envoy', 'node', 'prometheus', 'registry'])
    await timed(`image of ${name}`, async () => {
      process.env[`MESHSCRIPT_${name.toUpperCase()}_IMAGE`] = await buildImage(name)
    })
}

const args = process.argv.slice(2)
await setup()
  .then(build)
  .then(() => args.includes('--local') && localImages())
  .then(() => runTypeScript(join(root, 'examples/payments/docker.ts'), args))
  .then((code) => (process.exitCode = code), fail)
