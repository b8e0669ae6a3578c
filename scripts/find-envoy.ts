// Makes sure that there is an Envoy to test with: finds it, or downloads it once. Exit code 1, with the reason, when there is none.

import { installEnvoy } from '@meshscript/sdk/testing/envoy/find'

try {
  const envoy = await installEnvoy({ onProgress: (message) => process.stderr.write(`${message}\n`) })
  process.stdout.write(envoy.kind === 'process' ? envoy.path : envoy.image)
} catch (error) {
  process.stderr.write((error as Error).message)
  process.exitCode = 1
}
