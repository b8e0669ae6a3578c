// `npm run test:matrix`: all specs on every release of Envoy that Meshscript is tested with. `-- 1.36 1.39` runs these only.

import { build } from '../../scripts/build.mjs'
import { fail } from '../../scripts/lib/process.mjs'
import { setup } from '../../scripts/setup.mjs'
import { matrix } from './matrix.mjs'

const ALL = ['1.36', '1.37', '1.38', '1.39', '1.40']

try {
  await setup()
  await build()
  const asked = process.argv.slice(2)
  const rows = await matrix(asked.length ? asked : ALL)
  process.stdout.write('\n')
  for (const { version, passed, failed, skipped, failures } of rows) {
    process.stdout.write(`Envoy ${version.padEnd(7)} ${passed} passed, ${failed} failed, ${skipped} skipped\n`)
    for (const name of failures) process.stdout.write(`  × ${name}\n`)
    if (failed) process.exitCode = 1
  }
} catch (error) {
  fail(error)
}
