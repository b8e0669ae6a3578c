// The tarballs that would be published: what is in them, and what bundlers and compilers find there.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pack, type Packed, publishedManifest, publishedPackages } from '../../scripts/lib/packages.mjs'
import { readTarball } from './tarball.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const packages = publishedPackages()
const names = packages.map(({ manifest }) => manifest.name)
const folder = mkdtempSync(join(tmpdir(), 'meshscript-packages-'))
let packed: Packed[]
const tarballOf = (name: string): string => packed.find(({ manifest }) => manifest.name === name)!.file

/**
 * AssemblyScript sources, which Node.js does not import and whose imports have no extensions, and the compiler's transform,
 * which is loaded by its name: TypeScript's rules of resolution don't hold for them.
 */
const exempt: Record<string, string[]> = {
  '@meshscript/sdk': ['.', './compat/proxy-runtime', './compat/proxy-runtime/*', './transform'],
  '@meshscript/filters': ['.', './common/assembly/*', './authorization/assembly/*'],
}
/** What Node.js imports, with types. */
const typedEntries: Record<string, string[]> = {
  '@meshscript/sdk': ['./testing', './testing/envoy'],
  meshscript: ['.', './vitest'],
}

beforeAll(async () => {
  packed = await pack(packages, folder)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('are published in the order of their dependencies', () => {
  expect(names).toEqual(['@meshscript/sdk', '@meshscript/filters', 'meshscript', 'create-meshscript'])
  for (const { manifest } of packages) {
    const own = Object.entries(manifest.dependencies ?? {}).filter(([name]) => names.includes(name))
    for (const [name, version] of own) {
      expect(names.indexOf(name)).toBeLessThan(names.indexOf(manifest.name))
      expect(version).toBe(packages.find((other) => other.manifest.name === name)!.manifest.version)
    }
  }
})

describe.each(packages)('$manifest.name', ({ folder: workspace, manifest }) => {
  const { name } = manifest

  test('says what it is, whose it is and where it comes from', () => {
    expect(manifest).toMatchObject({
      description: expect.stringMatching(/\w/),
      keywords: expect.arrayContaining(['envoy', 'istio']),
      homepage: expect.stringMatching(/^https:/),
      bugs: { url: expect.stringMatching(/^https:/) },
      repository: { type: 'git', url: expect.stringMatching(/^git\+https:.*\.git$/), directory: workspace },
      license: 'Apache-2.0',
      type: 'module',
      engines: { node: '>=20.19' },
      publishConfig: { access: 'public', provenance: true },
    })
  })

  test('has a README, the licence, and nothing of the workshop', () => {
    const files = readTarball(tarballOf(name))
    expect([...files.keys()]).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']))
    expect(files.get('LICENSE')!.toString()).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'))
    const workshop =
      /(\.(test|spec)\.|__tests__|__snapshots__|fixtures?\/|\.map$|\.tgz$|node_modules|\.cache|\.DS_Store)/
    // A project that is copied for its author comes with a test.
    const isTemplate = (file: string): boolean => /^(dist\/)?templates\//.test(file)
    expect([...files.keys()].filter((file) => workshop.test(file) && !isTemplate(file))).toEqual([])
    const places = [root, `${homedir()}/`]
    const telling = [...files].filter(([, contents]) => places.some((place) => contents.includes(place)))
    expect(telling.map(([file]) => file)).toEqual([])
  })

  test('is small', () => {
    // The ready filters are seven modules.
    expect(statSync(tarballOf(name)).size).toBeLessThan(1 << 20)
  })

  test('has what its manifest names, for every condition', () => {
    const files = readTarball(tarballOf(name))
    const { exports, bin, types } = JSON.parse(files.get('package.json')!.toString()) as Record<string, unknown>
    const missing = pathsOf([exports, bin, types]).filter((path) => {
      const [start = '', end] = path.replace(/^\.\//, '').split('*')
      if (end === undefined) return !files.has(start)
      return ![...files.keys()].some((file) => file.startsWith(start) && file.endsWith(end))
    })
    expect(missing).toEqual([])
    expect(files.get('package.json')!.toString()).not.toContain('meshscript-source')
  })

  test('links to files of the repository that are there', () => {
    const { url } = manifest['repository'] as { url: string }
    const prefix = `${url.replace(/^git\+/, '').replace(/\.git$/, '')}/blob/main/`
    const text = readTarball(tarballOf(name)).get('README.md')!.toString()
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, link = '']) => link)
    const broken = links.filter((link) =>
      link.startsWith(prefix) ? !existsSync(join(root, link.slice(prefix.length))) : !link.startsWith('https:'),
    )
    expect(broken).toEqual([])
  })

  test('publint has nothing to say', async () => {
    const tarball = new Uint8Array(readFileSync(tarballOf(name))).buffer
    const { messages } = await publint({ pack: { tarball }, level: 'suggestion', strict: true })
    expect(messages.map((message) => formatMessage(message, manifest, { color: false }))).toEqual([])
  })

  test('arethetypeswrong has nothing to say of the entry points for Node.js', async () => {
    const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(tarballOf(name))))
    const result = await checkPackage(tarball, { excludeEntrypoints: exempt[name] ?? [] })
    if (!result.types) return expect(manifest['exports']).not.toMatchObject({ '.': expect.anything() })
    // Packages of modules only: no `require`, and no resolution that is older than `exports`.
    const isOld = (problem: Problem): boolean =>
      'resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)
    expect(result.problems.filter((problem) => !isOld(problem))).toEqual([])
    const typed = Object.entries(result.entrypoints).filter(([, { hasTypes }]) => hasTypes)
    expect(typed.map(([entry]) => entry)).toEqual(typedEntries[name] ?? [])
  })
})

function pathsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pathsOf) : []
}

test('the manifest for users lacks nothing but what only the checkout uses', () => {
  const shown = publishedManifest({
    name: 'a',
    version: '1.0.0',
    exports: { '.': { 'meshscript-source': './src/a.ts', types: './a.d.ts', default: './a.js' }, './b': './b.js' },
    devDependencies: { x: '1' },
    scripts: { test: 'x' },
    dependencies: { y: '2' },
  })
  expect(shown).toEqual({
    name: 'a',
    version: '1.0.0',
    exports: { '.': { types: './a.d.ts', default: './a.js' }, './b': './b.js' },
    dependencies: { y: '2' },
  })
})
