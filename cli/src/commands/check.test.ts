import { chmodSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { checkCompilerOptions } from '../check/asconfig.ts'
import { runChecks } from '../check/runner.ts'
import { atLeast } from '../check/tool.ts'
import { type Check, type CheckReport, failure, success } from '../check/types.ts'
import { runCli } from '../cli.ts'
import { CliFolder } from '../testing.ts'

const FILTER = `import { Action, HttpContext } from '@meshscript/sdk'
export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    return Action.Continue
  }
}
`
const folder = new CliFolder()
afterAll(() => folder.remove())
const path = (name: string) => join(folder.path, name)
let serial = 0

/** A folder of programs that answer as they are told: shell text by name. */
function tools(scripts: Record<string, string>): string {
  const bin = `bin-${++serial}`
  mkdirSync(path(bin))
  for (const [name, text] of Object.entries(scripts)) {
    folder.write(`${bin}/${name}`, `#!/bin/sh\n${text}\n`)
    chmodSync(path(`${bin}/${name}`), 0o755)
  }
  return path(bin)
}

async function check(args: string, env: Record<string, string>, cwd = folder.path) {
  let stdout = ''
  let stderr = ''
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    cwd,
    // Nothing of this machine is found by chance.
    env: { HOME: path('home'), XDG_CACHE_HOME: path('cache'), ...env },
  }
  const code = await runCli(['check', ...args.split(' ').filter(Boolean)], io)
  return { code, stdout, stderr }
}

const results = (stdout: string) =>
  Object.fromEntries(
    (JSON.parse(stdout) as CheckReport).categories.flatMap(({ checks }) => checks).map((each) => [each.code, each]),
  )

describe('environment', () => {
  const istio = {
    kubectl: `case "$*" in
      "version --client"*) echo '{"clientVersion":{"gitVersion":"v1.33.0"}}';;
      version*) echo '{"clientVersion":{"gitVersion":"v1.33.0"},"serverVersion":{"gitVersion":"v1.32.4"}}';;
      "get crd"*) echo '{"spec":{"versions":[{"name":"v1alpha1","served":true},{"name":"v0","served":false}]}}';;
      "get deployments"*) echo '{"items":[{"spec":{"template":{"spec":{"containers":[{"image":"docker.io/istio/pilot:1.27.1"}]}}}}]}';;
      auth*) echo yes;;
    esac`,
    docker: 'echo 28.0.1',
    envoy: 'echo "envoy  version: 0123abc/1.40.0/Clean/RELEASE/BoringSSL"',
  }

  test('where everything is there', async () => {
    const bin = tools(istio)
    const { code, stdout, stderr } = await check('--environment', { PATH: bin })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`environment
-----------
√ Node.js ${process.versions.node} is new enough
√ Envoy 1.40.0 is there (${join(bin, 'envoy')})
√ Docker 28.0.1 answers
√ kubectl v1.33.0 is there
√ the cluster can be reached (Kubernetes v1.32.4)
√ Istio's WasmPlugin is known to the cluster (v1alpha1)
√ istiod 1.27.1 runs
√ this user may apply WasmPlugins

Status check results are √
`)
  })

  test('where nothing is there, which hinders only some commands', async () => {
    const { code, stdout } = await check('--environment', { PATH: path('nowhere') })
    expect(code).toBe(0)
    expect(stdout).toContain(`‼ Envoy is there
    no Envoy is installed
    meshscript run and the tests on Envoy download one; or set ENVOY_PATH; see https://`)
    expect(stdout).toContain('‼ the Docker daemon answers\n    no Docker is installed\n')
    expect(stdout).toContain('‼ kubectl is there\n    no kubectl is installed\n')
    // Nothing is said of a cluster that nobody can ask.
    expect(stdout).not.toContain('cluster')
    expect(stdout).toMatch(/\nStatus check results are √ {2}\(3 warnings\)\n$/)
  })

  test('where things are old, closed or of no use', async () => {
    const bin = tools({
      envoy: 'echo "envoy  version: 0123abc/1.20.0/Clean/RELEASE/BoringSSL"',
      docker: 'echo "Cannot connect to the Docker daemon" >&2; exit 1',
      kubectl: istio.kubectl
        .replace('pilot:1.27.1', 'pilot:1.10.0')
        .replace('echo yes', 'echo no; exit 1')
        .replace(/"get crd"\*\) .*;;/, '"get crd"*) echo "Error from server (NotFound): crds" >&2; exit 1;;'),
    })
    const { code, stdout } = await check('--environment --json', { PATH: bin })
    expect(code).toBe(0)
    const found = results(stdout)
    expect(Object.values(found).map(({ result }) => result)).toEqual([
      'success',
      'warning',
      'warning',
      'success',
      'success',
      'warning',
      'warning',
      'warning',
    ])
    expect(found['CHK002']!.error).toContain('Envoy 1.20.0 at ')
    expect(found['CHK003']).toMatchObject({
      error: 'the Docker daemon does not answer: Cannot connect to the Docker daemon',
    })
    expect(found['CHK006']!.error).toBe('the cluster has no WasmPlugin')
    expect(found['CHK007']!.error).toBe('istiod is 1.10.0')
    expect(found['CHK008']!.error).toContain('may not apply')
  })

  test('a wrong ENVOY_PATH is an error', async () => {
    const { code, stdout } = await check('--environment --json', { PATH: '', ENVOY_PATH: '/nowhere/envoy' })
    expect(code).toBe(1)
    expect(results(stdout)['CHK002']).toEqual({
      code: 'CHK002',
      description: 'Envoy is there',
      result: 'error',
      error: 'ENVOY_PATH is /nowhere/envoy, which is not an executable file',
      hint: expect.stringMatching(/^see https:\/\/.*docs\/check\.md#chk002$/),
    })
  })

  test('a cluster that refuses the user', async () => {
    const kubectl = `case "$*" in *--client*) echo '{}';; *) echo 'error: You must be logged in' >&2; exit 1;; esac`
    const { stdout } = await check('--environment --json', { PATH: tools({ kubectl }) })
    const found = results(stdout)
    expect(found['CHK005']).toMatchObject({
      result: 'warning',
      error: expect.stringContaining('You must be logged in'),
    })
    expect(found['CHK006']).toBeUndefined()
  })
})

describe('project', () => {
  const name = 'project'
  const cwd = path(name)
  const configured = async (text: string) => {
    folder.write(`${name}/config.json`, text)
    const { code, stdout } = await check('--project --json', {}, cwd)
    return { code, ...results(stdout)['CHK024'] }
  }
  beforeAll(() => {
    folder.write(`${name}/package.json`, '{"name":"project"}')
    folder.write(`${name}/assembly/index.ts`, FILTER)
    folder.write(`${name}/schema.json`, '{"type":"object","properties":{"limit":{"type":"integer"}}}')
    folder.write(`${name}/meshscript.json`, '{"configuration":"config.json"}')
    folder.write(`${name}/config.json`, '{"limit":1}')
  })

  test('its versions, options and configuration', async () => {
    const unbuilt = await check('--project', {}, cwd)
    expect(unbuilt.code).toBe(0)
    expect(unbuilt.stdout).toBe(`project
-------
√ the SDK is of the version of this command (${packageJson.version})
√ AssemblyScript is ${packageJson.dependencies.assemblyscript}
√ the compiler's options are the SDK's
‼ the filter takes its configuration
    the filter is not built, so its configuration was not tried
    meshscript build; see ${packageJson.repository.url.slice('git+'.length, -'.git'.length)}/blob/main/docs/check.md#chk024

Status check results are √  (1 warning)
`)
    expect(await runCli(['build', '.'], { stdout: { write: () => 0 }, stderr: { write: () => 0 }, cwd, env: {} })).toBe(
      0,
    )
    expect(await configured('{"limit":1}')).toMatchObject({ code: 'CHK024', result: 'success' })
    expect(await configured('{"limit":"much"}')).toMatchObject({
      result: 'error',
      error: expect.stringMatching(/limit.*\(DEP021\)$/),
    })
    expect(await configured('{')).toMatchObject({ result: 'error' })
    folder.write(`${name}/config.json`, '{}')
  })

  test('is checked by itself where there is one', async () => {
    const titles = async (folder: string) =>
      (await check('', { PATH: path('nowhere') }, folder)).stdout.match(/^\w+\n-+$/gm)
    expect(await titles(cwd)).toEqual(['environment\n-----------', 'project\n-------'])
    expect(await titles(folder.path)).toEqual(['environment\n-----------'])
  })

  test('is missing', async () => {
    const { code, stdout } = await check('--project', {}, folder.path)
    expect(code).toBe(1)
    expect(stdout).toContain("× the project's files can be read\n")
    expect(stdout).toContain('(BUILD002)')
    expect(stdout).toMatch(/Status check results are × {2}\(1 error\)\n$/)
  })

  test('another version of the SDK', async () => {
    const sdk = (version: string) => {
      const file = 'older/node_modules/@meshscript/sdk/package.json'
      folder.write(file, JSON.stringify({ version, peerDependencies: { assemblyscript: '0.27.0' } }))
      folder.write('older/node_modules/@meshscript/sdk/asconfig.json', '{}')
    }
    folder.write('older/package.json', '{"name":"older"}')
    folder.write('older/assembly/index.ts', FILTER)
    const [major, minor, patch] = packageJson.version.split('.').map(Number)
    sdk(`${major}.${minor}.${patch! + 1}`)
    const near = await check('--project --json', {}, path('older'))
    expect(results(near.stdout)['CHK021']).toMatchObject({
      result: 'warning',
      hint: expect.stringContaining('npm install'),
    })
    expect(results(near.stdout)['CHK022']).toMatchObject({
      result: 'error',
      error: expect.stringContaining('needs 0.27.0'),
    })
    sdk(`${major}.${minor! + 1}.0`)
    const far = await check('--project --json', {}, path('older'))
    expect(results(far.stdout)['CHK021']).toMatchObject({ result: 'error' })
  })
})

describe('options of the compiler', () => {
  const judge = (config: unknown) => {
    folder.write('as/asconfig.json', typeof config === 'string' ? config : JSON.stringify(config))
    return checkCompilerOptions({ baseDir: path('as'), asconfig: path('as/asconfig.json') })
  }

  test.each([
    [{ options: { importMemory: true } }, 'importMemory: proxies offer no memory'],
    [{ targets: { release: { noExportMemory: true } } }, 'noExportMemory: '],
    [{ options: { enable: ['simd', 'threads'] } }, 'enable threads: '],
    [{ targets: { debug: { enable: 'memory64' } } }, 'enable memory64: '],
    ['{', 'is not valid JSON'],
  ])('refused: %j', (config, error) => {
    expect(judge(config)).toMatchObject({ result: 'error', error: expect.stringContaining(error) })
  })

  test('without effect', () => {
    expect(judge({ options: { runtime: 'incremental', exportStart: '_initialize' } })).toMatchObject({
      result: 'warning',
      error: 'asconfig.json: runtime: meshscript build decides this',
    })
  })

  test.each([
    {
      options: { runtime: 'minimal', maximumMemory: 1024 },
      targets: { release: { optimizeLevel: 3, enable: ['simd'] } },
    },
    { targets: { other: { importMemory: true } } },
    { options: { importMemory: false } },
  ])('fit: %j', (config) => expect(judge(config)).toMatchObject({ result: 'success' }))
})

describe('running checks', () => {
  const make = (run: Check['run'], more: Partial<Check> = {}): Check => ({
    code: 'CHK000',
    description: 'x',
    run,
    ...more,
  })
  const run = (...checks: Check[]) => runChecks([{ categoryName: 'a', checks }], { timeout: 50 })
  const never = () => new Promise<never>(() => {})

  test('side by side, and none longer than its time', async () => {
    let aborted = 0
    const slow = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => aborted++)
      return never()
    }
    const start = performance.now()
    const { success, categories } = await run(
      ...Array.from({ length: 200 }, () => make(slow)),
      make(slow, { late: 'warning' }),
    )
    expect(performance.now() - start).toBeLessThan(200 * 50)
    expect(aborted).toBe(201)
    expect(success).toBe(false)
    const found = categories[0]!.checks
    expect(found[0]).toMatchObject({ result: 'error', error: 'no answer within 0.05 s' })
    expect(found.at(-1)).toMatchObject({ result: 'warning' })
  })

  test('kills what a check has started', async () => {
    const bin = tools({ docker: 'exec sleep 60', kubectl: 'exec sleep 60', envoy: 'echo "version: a/1.40.0/"' })
    const stop = new AbortController()
    let stdout = ''
    const io = {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: () => 0 },
      cwd: folder.path,
      env: { PATH: [bin, '/bin', '/usr/bin'].join(delimiter) },
      signal: stop.signal,
    }
    setTimeout(() => stop.abort(), 300)
    const start = performance.now()
    expect(await runCli(['check', '--environment'], io)).toBe(130)
    expect(performance.now() - start).toBeLessThan(4000)
    // What was interrupted is no finding.
    expect(stdout).toBe('')
  })

  test('many checks leave no listeners behind', async () => {
    const { signal } = new AbortController()
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const checks = Array.from({ length: 20 }, () => make(() => Promise.resolve(success())))
    await runChecks([{ categoryName: 'a', checks }], { signal })
    // Warnings come in the next turn of the loop.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', note)
    expect(warnings).toEqual([])
  })

  test('an unexpected failure is one check’s error', async () => {
    const report = await run(
      make(() => Promise.reject(new Error('boom'))),
      make(() => Promise.resolve(undefined)),
      make(() => Promise.resolve(success('well'))),
      make(() => Promise.resolve(failure('bad', 'do this'))),
    )
    expect(report).toEqual({
      success: false,
      categories: [
        {
          categoryName: 'a',
          checks: [
            {
              code: 'CHK000',
              description: 'x',
              result: 'error',
              error: 'boom',
              hint: expect.stringContaining('see https'),
            },
            { code: 'CHK000', description: 'well', result: 'success' },
            {
              code: 'CHK000',
              description: 'x',
              result: 'error',
              error: 'bad',
              hint: expect.stringMatching(/^do this; see/),
            },
          ],
        },
      ],
    })
    expect((await runChecks([{ categoryName: 'empty', checks: [] }])).categories).toEqual([])
  })

  test.each([
    ['1.2.3', '1.2.3', true],
    ['v1.10.0-beta', '1.9.9', true],
    ['1.9.9', '1.10.0', false],
    ['2.0', '1.18.0', true],
    ['unknown', '1.0.0', false],
  ])('version %s is at least %s: %s', (version, least, expected) => expect(atLeast(version, least)).toBe(expected))
})
