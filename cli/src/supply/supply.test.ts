import { Ajv } from 'ajv'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'
import {
  attachAll,
  creationTime,
  findOrigin,
  type Origin,
  provenance,
  readSignatures,
  readSigningKey,
  readVerificationKey,
  repositoryUrl,
  sign,
  spdx,
  verify,
} from './index.ts'
import { digestOf } from '../oci/index.ts'
import { MemoryRegistry } from './testing.ts'

const FILTER = `import { Action, HttpContext } from '@meshscript/sdk'
import { name } from 'names'

export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    this.requestHeaders.add('x-hello', name())
    return Action.Continue
  }
}
`
const NAMES =
  "// Not only a constant: code of this package is in the module.\nexport function name(): string { return 'a' }\n"
const REPOSITORY = { registry: 'registry.example', repository: 'acme/hello' }
const IMAGE = 'registry.example/acme/hello'

const folder = new CliFolder({
  'package.json': JSON.stringify({ name: 'hello', version: '1.2.3', license: 'MIT' }),
  'assembly/index.ts': FILTER,
  'node_modules/names/package.json': JSON.stringify({
    name: 'names',
    version: '2.0.0',
    license: 'SEE LICENSE IN FILE',
    repository: { type: 'git', url: 'git+https://user:secret@git.example/names.git' },
  }),
  'node_modules/names/assembly/index.ts': NAMES,
  '.gitignore': 'node_modules\nbuild\n',
})
const path = (name: string) => join(folder.path, name)
const file = path('build/module.wasm')
const read = () => readFileSync(file)
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder.path, encoding: 'utf8' })

let origin: Origin
beforeAll(async () => {
  git('init', '-q')
  git('remote', 'add', 'origin', 'https://user:secret@git.example/acme/hello.git')
  git('add', '.')
  git('commit', '-q', '-m', 'First', '--date=2026-01-02T03:04:05Z')
  expect(await folder.run('build . -o build/module.wasm')).toMatchObject({ code: 0, stderr: '' })
  origin = await findOrigin(read(), file)
})
afterAll(() => folder.remove())

describe('origin of a module', () => {
  test('its package, those compiled in, the commit and the tools', () => {
    expect(origin).toMatchObject({
      file: 'module.wasm',
      sha256: digestOf(read()).slice('sha256:'.length),
      filter: { name: 'hello', version: '1.2.3', license: 'MIT' },
      packages: [
        { name: '@meshscript/sdk', version: expect.stringMatching(/^\d/) },
        { name: 'names', version: '2.0.0', repository: 'https://git.example/names.git' },
      ],
      producers: { 'processed-by': { meshscript: expect.any(String) } },
      files: [{ path: 'assembly/index.ts', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      source: {
        repository: 'https://git.example/acme/hello.git',
        commit: git('rev-parse', 'HEAD').trim(),
        path: '',
        modified: false,
      },
      names: 'functions',
    })
  })

  test('says when the sources are others than the commit’s, or than those that were built', async () => {
    const source = readFileSync(path('assembly/index.ts'), 'utf8')
    folder.write('assembly/index.ts', `${source}\n`)
    try {
      expect((await findOrigin(read(), file)).source?.modified).toBe(true)
      git('commit', '-q', '-a', '-m', 'Changed, but not built')
      const later = await findOrigin(read(), file)
      expect(later.source?.modified).toBe(true)
      // The digest is that of what was compiled.
      expect(later.files).toEqual(origin.files)
    } finally {
      git('reset', '-q', '--hard', origin.source!.commit)
    }
  })

  test('takes no notice of other files, but of a source that the commit does not have', async () => {
    folder.write('notes.txt', 'not a source')
    expect((await findOrigin(read(), file)).source?.modified).toBe(false)
    const commit = git('rev-parse', 'HEAD').trim()
    git('rm', '-q', '--cached', 'assembly/index.ts')
    git('commit', '-q', '-m', 'Left out')
    folder.write('.git/info/exclude', 'assembly\n')
    try {
      expect((await findOrigin(read(), file)).source?.modified).toBe(true)
    } finally {
      folder.write('.git/info/exclude', '')
      git('reset', '-q', '--hard', commit)
    }
  })

  test('is what the module says of itself where there is no source map', async () => {
    folder.write('elsewhere/x.wasm', '')
    const { packages, files, filter } = await findOrigin(read(), path('elsewhere/x.wasm'))
    expect(packages).toEqual([{ name: '@meshscript/sdk', version: origin.packages[0]!.version }])
    expect(files).toEqual([])
    // The package that it lies in.
    expect(filter.name).toBe('hello')
  })

  test.each([
    ['git@github.com:acme/hello.git', 'ssh://github.com/acme/hello.git'],
    ['ssh://git@host:22/a.git', 'ssh://host:22/a.git'],
    ['https://token@host/a.git?x=y', 'https://host/a.git'],
    ['/srv/git/a.git', undefined],
    ['C:\\repos\\a', undefined],
    ['file:///srv/a', undefined],
    ['', undefined],
  ])('never tells credentials or local paths: %s', (remote, url) => expect(repositoryUrl(remote)).toBe(url))
})

describe('bill of materials', () => {
  const document = () => spdx({ origin, created: '2026-01-02T03:04:05.678Z' })

  test('has what SPDX 2.3 requires', () => {
    const id = { type: 'string', pattern: '^SPDXRef-[A-Za-z0-9.-]+$' }
    const object = (properties: Record<string, object>) => ({
      type: 'object',
      properties,
      required: Object.keys(properties),
    })
    const checksums = {
      type: 'array',
      items: object({ algorithm: { enum: ['SHA1', 'SHA256'] }, checksumValue: { pattern: '^[0-9a-f]+$' } }),
    }
    const schema = object({
      spdxVersion: { const: 'SPDX-2.3' },
      dataLicense: { const: 'CC0-1.0' },
      SPDXID: { const: 'SPDXRef-DOCUMENT' },
      name: { type: 'string', minLength: 1 },
      documentNamespace: { type: 'string', pattern: '^https://[^#]+$' },
      creationInfo: object({
        created: { pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
        creators: { type: 'array', minItems: 1, items: { pattern: '^Tool: ' } },
      }),
      packages: {
        type: 'array',
        items: object({
          SPDXID: id,
          name: { type: 'string' },
          downloadLocation: { type: 'string', pattern: '^(NOASSERTION|git\\+[a-z]+://)' },
          filesAnalyzed: { const: false },
          licenseDeclared: { type: 'string' },
        }),
      },
      files: {
        type: 'array',
        items: object({ SPDXID: id, fileName: { pattern: '^\\./' }, checksums, copyrightText: {} }),
      },
      relationships: {
        type: 'array',
        items: object({
          spdxElementId: id,
          relatedSpdxElement: id,
          relationshipType: { enum: ['DESCRIBES', 'STATIC_LINK', 'BUILD_TOOL_OF', 'GENERATED_FROM'] },
        }),
      },
    })
    const validate = new Ajv({ strict: false }).compile(schema)
    validate(document())
    expect(validate.errors).toBeNull()
    const { packages, files, relationships } = document() as Record<string, Record<string, string>[]>
    const ids = [...packages!, ...files!].map(({ SPDXID }) => SPDXID)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { spdxElementId, relatedSpdxElement } of relationships!) {
      expect(['SPDXRef-DOCUMENT', ...ids]).toEqual(expect.arrayContaining([spdxElementId, relatedSpdxElement]))
    }
    // Each package has its place.
    for (const { SPDXID } of packages!) {
      const related = relationships!.flatMap((each) => [each['spdxElementId'], each['relatedSpdxElement']])
      expect(related).toContain(SPDXID)
    }
  })

  test('lists packages with versions, licences and URLs', () => {
    const { packages } = document() as { packages: Record<string, unknown>[] }
    const found = packages.map(({ name, versionInfo, licenseDeclared, externalRefs }) => [
      name,
      versionInfo,
      licenseDeclared,
      (externalRefs as { referenceLocator: string }[])[0]!.referenceLocator,
    ])
    const [sdk] = origin.packages
    expect(found.slice(0, 3)).toEqual([
      ['hello', '1.2.3', 'MIT', 'pkg:npm/hello@1.2.3'],
      ['@meshscript/sdk', sdk!.version, 'Apache-2.0', `pkg:npm/%40meshscript/sdk@${sdk!.version}`],
      ['names', '2.0.0', 'NOASSERTION', 'pkg:npm/names@2.0.0'],
    ])
    expect(found.slice(3).map(([name]) => name)).toEqual(['assemblyscript', 'meshscript'])
  })

  test.each([
    ['MIT OR Apache-2.0', true],
    ['(GPL-2.0+ WITH Classpath-exception-2.0)', true],
    ['UNLICENSED', false],
    ['MIT Apache-2.0', false],
    ['see file', false],
  ])('takes the licence %s: %s', (license, taken) => {
    const { packages } = spdx({ origin: { ...origin, filter: { name: 'a', license } }, created: '2026-01-01' })
    const [{ licenseDeclared }] = packages as [{ licenseDeclared: string }]
    expect(licenseDeclared).toBe(taken ? license : 'NOASSERTION')
  })
})

describe('provenance', () => {
  const image = { name: IMAGE, digest: `sha256:${'a'.repeat(64)}` }

  test('is an in-toto statement of the image and its module', () => {
    const { commit } = origin.source!
    expect(provenance({ origin, image, env: {} })).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: IMAGE, digest: { sha256: 'a'.repeat(64) } },
        { name: 'module.wasm', digest: { sha256: origin.sha256 } },
      ],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'pkg:npm/meshscript#build/v1',
          externalParameters: {
            source: { repository: 'https://git.example/acme/hello.git', commit, path: '' },
            package: 'pkg:npm/hello@1.2.3',
            options: { debug: false, strip: false },
          },
          resolvedDependencies: [
            { uri: `git+https://git.example/acme/hello.git@${commit}`, digest: { gitCommit: commit } },
            { name: 'assembly/index.ts', digest: { sha256: origin.files[0]!.sha256 } },
            { uri: expect.stringMatching(/^pkg:npm\/%40meshscript\/sdk@\d/) },
            { uri: 'pkg:npm/names@2.0.0' },
            { uri: expect.stringMatching(/^pkg:npm\/assemblyscript@\d/) },
          ],
        },
        runDetails: {
          builder: {
            id: expect.stringMatching(/^pkg:npm\/meshscript@\d/),
            version: { meshscript: expect.any(String) },
          },
        },
      },
    })
  })

  test('names the workflow that built it', () => {
    const env = {
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: 'https://git.example',
      GITHUB_WORKFLOW_REF: 'acme/hello/.github/workflows/release.yml@refs/tags/v1',
      GITHUB_REPOSITORY: 'acme/hello',
      GITHUB_RUN_ID: '7',
      GITHUB_RUN_ATTEMPT: '2',
    }
    const { predicate } = provenance({ origin, image, env }) as { predicate: { runDetails: object } }
    expect(predicate.runDetails).toMatchObject({
      builder: { id: 'https://git.example/acme/hello/.github/workflows/release.yml@refs/tags/v1' },
      metadata: { invocationId: 'https://git.example/acme/hello/actions/runs/7/attempts/2' },
    })
  })

  test('says how the module was built', async () => {
    for (const [flag, options] of [
      ['--debug', { debug: true, strip: false }],
      ['--strip', { debug: false, strip: true }],
    ] as const) {
      await folder.run(`build . -o other/module.wasm ${flag}`)
      const other = await findOrigin(readFileSync(path('other/module.wasm')), path('other/module.wasm'))
      expect(provenance({ origin: other, image, env: {} })).toMatchObject({
        predicate: { buildDefinition: { externalParameters: { options } } },
      })
    }
  })
})

describe('signature', () => {
  const digest = `sha256:${'b'.repeat(64)}`
  const pem = (curve: string) =>
    generateKeyPairSync('ec', {
      namedCurve: curve,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })

  test('is one that openssl verifies', () => {
    execFileSync('openssl', ['ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', path('openssl.key')])
    execFileSync('openssl', ['ec', '-in', path('openssl.key'), '-pubout', '-out', path('openssl.pub')], {
      stdio: 'ignore',
    })
    const { payload, signature } = sign(IMAGE, digest, readSigningKey(path('openssl.key')))
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      critical: {
        identity: { 'docker-reference': IMAGE },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
    })
    folder.write('payload.json', Buffer.from(payload).toString())
    folder.write('signature.b64', signature)
    execFileSync('openssl', ['base64', '-d', '-A', '-in', path('signature.b64'), '-out', path('signature')])
    const check = (name: string) =>
      execFileSync(
        'openssl',
        ['dgst', '-sha256', '-verify', path('openssl.pub'), '-signature', path('signature'), path(name)],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      )
    expect(check('payload.json')).toBe('Verified OK\n')
    folder.write('changed.json', Buffer.from(payload).toString().replace('acme', 'evil'))
    expect(() => check('changed.json')).toThrow()
  })

  test('holds for its key, its digest and its payload only', () => {
    const [one, two] = [pem('prime256v1'), pem('prime256v1')]
    folder.write('one.key', one.privateKey)
    folder.write('one.pub', one.publicKey)
    folder.write('two.pub', two.publicKey)
    const signed = sign(IMAGE, digest, readSigningKey(path('one.key')))
    const key = readVerificationKey(path('one.pub'))
    expect(verify(signed, digest, key)).toBe(true)
    expect(verify(signed, `sha256:${'c'.repeat(64)}`, key)).toBe(false)
    expect(verify(signed, digest, readVerificationKey(path('two.pub')))).toBe(false)
    expect(verify({ ...signed, payload: Buffer.from('{}') }, digest, key)).toBe(false)
    expect(verify({ ...signed, signature: 'AAAA' }, digest, key)).toBe(false)
  })

  test.each([
    ['SUP001', undefined, "can't be read"],
    ['SUP002', '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n', 'encrypted by cosign'],
    ['SUP002', '-----BEGIN ENCRYPTED PRIVATE KEY-----\n', 'openssl pkey -in'],
    ['SUP003', 'hello', 'is no private key in PEM form'],
    ['SUP003', pem('secp384r1').privateKey, 'is a key of the kind secp384r1, but ECDSA P-256 is needed'],
  ])('%s for a key that does not serve', (code, text, message) => {
    if (text !== undefined) folder.write('bad.key', text)
    const name = text === undefined ? 'nowhere.key' : 'bad.key'
    expect(() => readSigningKey(path(name))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }) as Error,
    )
  })
})

describe('attachAll', () => {
  const image = Buffer.from('{"an":"image"}')
  const subject = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(image),
    size: image.length,
  }
  const options = () => ({ module: read(), project: file, sbom: true, provenance: true, env: {} })

  test('attaches everything, and the same again changes nothing', async () => {
    const registry = new MemoryRegistry()
    const first = await attachAll(registry, REPOSITORY, subject, { ...options(), signKey: path('openssl.key') })
    expect(first.map(({ kind }) => kind)).toEqual(['sbom', 'provenance', 'signature'])
    const found = await registry.referrers('', subject.digest)
    expect(found.map(({ artifactType }) => artifactType)).toEqual([
      'application/spdx+json',
      'application/vnd.in-toto+json',
    ])
    const manifest = JSON.parse(Buffer.from(registry.manifests.get(found[1]!.digest)!).toString())
    expect(manifest.subject).toEqual(subject)
    const statement = JSON.parse(Buffer.from(registry.blobs.get(manifest.layers[0].digest)!).toString())
    expect(statement.subject[0]).toEqual({ name: IMAGE, digest: { sha256: subject.digest.slice(7) } })

    const before = new Map(registry.manifests)
    const again = await attachAll(registry, REPOSITORY, subject, { ...options(), signKey: path('openssl.key') })
    expect(again).toEqual(first)
    expect(registry.manifests).toEqual(before)
  })

  test('keeps the signatures of others', async () => {
    const registry = new MemoryRegistry()
    const none = { ...options(), sbom: false, provenance: false }
    await attachAll(registry, REPOSITORY, subject, { ...none, signKey: path('openssl.key') })
    await attachAll(registry, REPOSITORY, subject, { ...none, signKey: path('one.key') })
    expect([...registry.manifests.keys()]).toContain(`${subject.digest.replace(':', '-')}.sig`)
    const key = readVerificationKey(path('one.pub'))
    expect(await readSignatures(registry, REPOSITORY, subject.digest, key)).toEqual([
      { reference: IMAGE, verified: false },
      { reference: IMAGE, verified: true },
    ])
    expect(await readSignatures(registry, REPOSITORY, `sha256:${'d'.repeat(64)}`)).toEqual([])
  })

  test('attaches nothing where nothing is asked for, or the key does not serve', async () => {
    const registry = new MemoryRegistry()
    expect(await attachAll(registry, REPOSITORY, subject, { ...options(), sbom: false, provenance: false })).toEqual([])
    await expect(
      attachAll(registry, REPOSITORY, subject, { ...options(), signKey: path('nowhere.key') }),
    ).rejects.toThrow("can't be read")
    expect(registry.manifests.size).toBe(0)
  })

  test('dates documents by the commit, or as SOURCE_DATE_EPOCH says', () => {
    expect(creationTime(origin, {})).toBe(origin.source!.time)
    expect(creationTime(origin, { SOURCE_DATE_EPOCH: '86400' })).toBe('1970-01-02T00:00:00.000Z')
    expect(creationTime({}, {})).toBe('1970-01-01T00:00:00.000Z')
  })
})
