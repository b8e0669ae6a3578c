// `npm run demo:docker`: what `npm start` shows, in containers. `-- --once` ends after the table; `-- --prepare` only makes the
// files that envoy/docker-compose.yml reads; `-- --local` runs images of this machine's programs instead of public ones.
//
// `npm run demo:ratelimit`: the rate limit filter with a service that counts for all proxies; `npm run demo:telemetry`: the telemetry
// filter with Prometheus and the OpenTelemetry Collector. The same options.

import { join } from 'node:path'
import { build } from './build.mjs'
import { buildImage } from './docker-image.mjs'
import { fail } from './lib/process.mjs'
import { root, timed } from './lib/steps.mjs'
import { runTypeScript } from './run.mjs'
import { setup } from './setup.mjs'

const demos = {
  payments: { file: 'docker.ts', images: ['envoy', 'node', 'prometheus', 'registry'] },
  telemetry: { file: 'telemetry.ts', images: ['envoy', 'node', 'prometheus', 'collector'] },
  ratelimit: { file: 'limits.ts', images: ['envoy', 'node', 'ratelimit', 'redis'] },
}

async function localImages(names) {
  for (const name of names)
    await timed(`image of ${name}`, async () => {
      process.env[`MESHSCRIPT_${name.toUpperCase()}_IMAGE`] = await buildImage(name)
    })
}

const [name, ...args] = process.argv.slice(2)
const { file, images } = demos[name]
await setup()
  .then(build)
  .then(() => args.includes('--local') && localImages(images))
  .then(() => runTypeScript(join(root, 'examples/payments', file), args))
  .then((code) => (process.exitCode = code), fail)
