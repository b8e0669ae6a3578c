// Makes the reference of the SDK of its sources: `node scripts/docs-sdk.mjs [FOLDER]` (default: build/docs).
// Whatever typedoc warns of – a link that leads nowhere, a public thing without a word about it – is an error.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Application } from 'typedoc'
import { publishedPackages } from './lib/packages.mjs'
import { fail } from './lib/process.mjs'
import { root } from './lib/steps.mjs'

const MATCHERS = [
  'toBeLocalReply',
  'toBeDenied',
  'toBeAllowed',
  'toHaveHeader',
  'toReachUpstream',
  'toHaveMetric',
  'toContainLog',
  'toHaveSharedData',
  'toLeak',
]

/** Each with the settings by which its sources make sense: filters are AssemblyScript, tests are Node.js. */
const PARTS = [
  { name: '@meshscript/sdk', entry: 'sdk/assembly/index.ts', tsconfig: 'sdk/assembly/tsconfig.json' },
  {
    name: '@meshscript/sdk/testing',
    entry: 'sdk/testing/index.ts',
    tsconfig: 'sdk/tsconfig.build.json',
    // The matchers are documented as `FilterMatchers`; the other is a field that looks like a method.
    spared: [...MATCHERS.map((name) => `matchers.__type.${name}`), 'Cluster.__type.handler'],
  },
  { name: '@meshscript/filters', entry: 'filters/assembly/index.ts', tsconfig: 'filters/tsconfig.json' },
]
/** Fields and members of enums mostly say all by their names. */
const DOCUMENTED = ['Class', 'Enum', 'Function', 'Interface', 'TypeAlias', 'Variable', 'Method', 'Accessor']

export async function docs(folder) {
  const work = mkdtempSync(join(tmpdir(), 'meshscript-docs-'))
  try {
    const parts = []
    for (const [index, part] of PARTS.entries()) {
      const file = join(work, `${index}.json`)
      const { app, project } = await convert(part)
      await app.generateJson(project, file)
      parts.push(file)
    }
    const [{ manifest }] = publishedPackages()
    const app = await Application.bootstrap({
      entryPointStrategy: 'merge',
      entryPoints: parts,
      name: `Meshscript ${manifest.version}`,
      readme: join(root, 'sdk/README.md'),
      out: folder,
      includeVersion: false,
      githubPages: false,
      hideGenerator: true,
      logLevel: 'Warn',
    })
    const project = await app.convert()
    mkdirSync(folder, { recursive: true })
    if (project) await app.generateDocs(project, folder)
    check(app, 'the pages')
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function convert({ name, entry, tsconfig, spared = [] }) {
  const app = await Application.bootstrap({
    name,
    entryPoints: [join(root, entry)],
    tsconfig: join(root, tsconfig),
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    readme: 'none',
    logLevel: 'Warn',
    requiredToBeDocumented: DOCUMENTED,
    intentionallyNotDocumented: spared,
    validation: { notExported: false, invalidLink: true, notDocumented: true },
  })
  const project = await app.convert()
  if (!project) throw new Error(`${name}: the sources do not compile`)
  app.validate(project)
  check(app, name)
  return { app, project }
}

function check({ logger }, what) {
  const { warningCount, errorCount } = logger
  if (warningCount + errorCount) throw new Error(`${what}: ${errorCount} errors, ${warningCount} warnings (above)`)
}

if (import.meta.filename === resolve(process.argv[1])) {
  const folder = resolve(process.argv[2] ?? join(root, 'build', 'docs'))
  await docs(folder).then(() => process.stdout.write(`${join(folder, 'index.html')}\n`), fail)
}
