// Builds everything: the published form of @meshscript/sdk/testing, the command, the ready filters and the examples.
// What has not changed is left alone; `--force` builds it all the same.

import { copyFileSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { copyDeclarations } from './lib/declarations.mjs'
import { check, fail } from './lib/process.mjs'
import { root, step } from './lib/steps.mjs'
import { setup } from './setup.mjs'

const TSC = 'node_modules/typescript/bin/tsc'
const TOOLS = ['package-lock.json', 'tsconfig.base.json', 'scripts/build.mjs']

export async function build() {
  let built = 0
  const count = async (options) => (built += Number(await step(options)))
  await count({
    name: '@meshscript/sdk/testing',
    inputs: ['sdk/testing', 'sdk/tsconfig.build.json', ...TOOLS],
    outputs: ['sdk/dist/testing'],
    // Types are checked by `npm run lint`.
    run: async () => {
      rmSync(join(root, 'sdk/dist/testing'), { recursive: true, force: true })
      await check(process.execPath, [TSC, '-p', 'sdk/tsconfig.build.json', '--noCheck'])
    },
  })
  await count({
    name: 'meshscript',
    inputs: ['cli/src', 'cli/package.json', 'cli/meshscript.schema.json', ...TOOLS],
    outputs: ['cli/dist/meshscript.js', 'cli/dist/index.js', 'cli/dist/vitest.js'],
    run: bundleCli,
  })
  await count({
    name: 'types of meshscript',
    inputs: ['cli/src', 'cli/tsconfig.types.json', ...TOOLS],
    outputs: ['cli/dist/types/index.d.ts'],
    run: declareCli,
  })
  await count({
    name: 'create-meshscript',
    inputs: ['cli/src', 'cli/templates', 'cli/package.json', 'package.json', ...TOOLS],
    outputs: ['create-meshscript/dist/bin/create.js', 'create-meshscript/dist/templates'],
    run: bundleCreate,
  })
  for (const { path, output } of filters()) {
    await count({
      name: output,
      inputs: [
        path,
        // `telemetry-headers` is made of `telemetry`, and so on.
        path.replace(/^(filters\/[a-z]+)-.*/, '$1/assembly'),
        'filters/common',
        // Examples import them as a library.
        ...(path.startsWith('examples/') ? ['filters/assembly', 'filters/authorization/assembly'] : []),
        'sdk/assembly',
        'sdk/transform',
        'sdk/asconfig.json',
        'cli/src/build',
        'cli/src/wasm',
        'sdk/testing/module.ts',
        'cli/package.json',
        'sdk/package.json',
        ...TOOLS,
      ],
      outputs: [output],
      run: () => buildFilter(path, output),
    })
  }
  if (!built) process.stdout.write('• everything is built\n')
}

async function bundleCli() {
  rmSync(join(root, 'cli/dist'), { recursive: true, force: true })
  await bundle('cli/dist', {
    meshscript: 'cli/src/main.ts',
    index: 'cli/src/index.ts',
    vitest: 'cli/src/vitest.ts',
    // Threads of their own.
    'build-worker': 'cli/src/build/worker.ts',
    'preflight-worker': 'cli/src/deploy/worker.ts',
  })
  // What `meshscript run --open` serves.
  copyFileSync(join(root, 'cli/src/run/page/page.html'), join(root, 'cli/dist/page.html'))
}

/** With the templates in it: it must work before anything else is installed. */
async function bundleCreate() {
  rmSync(join(root, 'create-meshscript/dist'), { recursive: true, force: true })
  await bundle('create-meshscript/dist/bin', { create: 'cli/src/create.ts' })
  cpSync(join(root, 'cli/templates'), join(root, 'create-meshscript/dist/templates'), { recursive: true })
}

async function bundle(outdir, entryPoints) {
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'linked',
    external: ['assemblyscript', '@meshscript/*'],
    // CommonJS packages in the bundle ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'silent',
  })
}

/** Types of the library. The bundle has none of the modules that they lie in. */
async function declareCli() {
  rmSync(join(root, 'cli/dist/types'), { recursive: true, force: true })
  await check(process.execPath, [TSC, '-p', 'cli/tsconfig.types.json', '--noCheck'])
  copyDeclarations(join(root, '.cache/types/cli'), 'index.d.ts', join(root, 'cli/dist/types'))
}

/** Ready filters and examples: every folder that has an `assembly/index.ts`. */
function filters() {
  const found = []
  for (const parent of ['filters', 'examples']) {
    for (const name of readdirSync(join(root, parent)).sort()) {
      const path = `${parent}/${name}`
      if (!existsSync(join(root, path, 'assembly/index.ts'))) continue
      found.push({ path, output: parent === 'filters' ? `filters/dist/${name}.wasm` : `${path}/build/${name}.wasm` })
    }
  }
  return found
}

async function buildFilter(path, output) {
  const library = await import(pathToFileURL(join(root, 'cli/dist/index.js')).href)
  try {
    const { size } = await library.buildFilter({ path: join(root, path), output: join(root, output) })
    return `${(size / 1024).toFixed(1)} KB`
  } catch (error) {
    if (!error.diagnostics) throw error
    const plain = new Proxy({}, { get: () => String })
    const shown = error.diagnostics.map((diagnostic) => library.formatDiagnostic(diagnostic, root, plain))
    throw new Error(
      [`${relative(root, path) || path} does not build (${basename(output)})`, ...shown, error.message].join('\n'),
      { cause: error },
    )
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes('--force')) rmSync(join(root, '.cache', 'steps'), { recursive: true, force: true })
  await setup().then(build).catch(fail)
}
