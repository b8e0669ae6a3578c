// Pushes the ready filters as images: `node scripts/push-images.mjs oci://REGISTRY/REPOSITORY [OPTIONS OF PUSH]`.
// `filters/dist/NAME.wasm` becomes REPOSITORY/NAME, tagged with the version of the packages and `latest`.

import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from './build.mjs'
import { publishedPackages } from './lib/packages.mjs'
import { fail, run } from './lib/process.mjs'
import { root } from './lib/steps.mjs'
import { setup } from './setup.mjs'

async function pushImages(repository, options) {
  await setup()
  await build()
  const { version } = publishedPackages().find(({ manifest }) => manifest.name === '@meshscript/filters').manifest
  const modules = readdirSync(join(root, 'filters/dist')).filter((name) => name.endsWith('.wasm'))
  for (const module of modules.sort()) {
    const image = `${repository.replace(/\/$/, '')}/${basename(module, '.wasm')}:${version}`
    const push = ['cli/bin/meshscript.js', 'push', join('filters/dist', module), image, '--tag', 'latest', ...options]
    const { code } = await run(process.execPath, push, { inherit: true })
    if (code !== 0) throw new Error(`${module} is not pushed; those before it are`)
  }
}

const [repository, ...options] = process.argv.slice(2)
if (!repository || repository.startsWith('-')) {
  process.stderr.write('usage: node scripts/push-images.mjs oci://REGISTRY/REPOSITORY [OPTIONS OF meshscript push]\n')
  process.exitCode = 2
} else {
  await pushImages(repository, options).catch(fail)
}
