import { filterPlugin } from './cli/src/vitest.ts'
import { defineConfig, defaultExclude } from 'vitest/config'

// `npm test` says which tools are not there; files that need one carry its name.
const missing = (process.env['MESHSCRIPT_MISSING_TOOLS'] ?? '').split(',').filter((tool) => tool !== '')
const exclude = [
  ...missing.flatMap((tool) => [`**/*.${tool}.{spec,test}.ts`, `**/*.${tool}.*.{spec,test}.ts`]),
  ...defaultExclude,
  '**/assembly/**',
  '**/fixtures/**',
  '{examples,filters,test}/**/build/**',
  // Copies of the templates.
  'create-meshscript/dist/**',
]
// Packages of the workspace are taken from their sources, not from what was built last.
const conditions = ['meshscript-source']
const ssr = { resolve: { conditions, externalConditions: conditions } }

/** Builds the filters that tests import (`./assembly/index.ts?filter`). */
const plugins = [filterPlugin()]

/** One spec, several hosts: a project for each host runs the same files. */
const specs = (host: string, timeout: number) => ({
  plugins,
  resolve: { conditions },
  ssr,
  test: {
    name: host,
    include: ['**/*.spec.ts'],
    exclude,
    env: { HOST: host },
    testTimeout: timeout,
    hookTimeout: timeout,
  },
})

export default defineConfig({
  test: {
    // Each fork compiles or starts an Envoy: more of them than cores only makes them late.
    maxWorkers: 2,
    projects: [
      {
        plugins,
        resolve: { conditions },
        ssr,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...exclude, '**/*.istio.test.ts', '**/*.timed.*'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // What has to be done within a time: one file at a time.
        plugins,
        resolve: { conditions },
        ssr,
        test: {
          name: 'timed',
          include: ['**/*.timed.test.ts', '**/*.timed.*.test.ts'],
          exclude,
          testTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        plugins,
        resolve: { conditions },
        ssr,
        test: {
          name: 'istio',
          include: ['**/*.istio.test.ts'],
          exclude,
          globalSetup: ['test/istio-e2e/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      specs('node', 30_000),
      specs('envoy', 60_000),
      specs('docker', 120_000),
    ],
  },
})
