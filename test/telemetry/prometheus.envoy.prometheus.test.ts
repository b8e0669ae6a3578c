/** Real Prometheus scrapes real Envoy with the telemetry filter: the queries that `istioctl x metrics` asks have the right answers. */
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bootstrapFor } from '../../cli/src/compile/telemetry/bootstrap.ts'
import { LABELS } from '../../cli/src/compile/telemetry/definitions.ts'
import { dashboardFiles } from '../../cli/src/compile/telemetry/files.ts'
import { compileTelemetry } from '../../cli/src/compile/telemetry/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import filter from '../../filters/telemetry/assembly/index.ts?filter'
import { freePorts } from '../free-ports.ts'

const DASHBOARDS = fileURLToPath(new URL('../../filters/telemetry/dashboards/', import.meta.url))
const CLIENT = 'spiffe://cluster.local/ns/web/sa/front'
const TELEMETRY = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: cart, namespace: shop}
spec:
  metrics:
  - overrides:
    - match: {metric: REQUEST_COUNT}
      tagOverrides: {request_method: {value: request.method}}
`
/** By how many times each is sent. */
const TRAFFIC = { '/ok': 40, '/missing': 8, '/broken': 4 }
const STATUS: Record<string, number> = { '/ok': 200, '/missing': 404, '/broken': 500 }

test('the queries of istioctl x metrics', { timeout: 180_000 }, async () => {
  const workload = { namespace: 'shop', name: 'cart-v1', labels: { app: 'cart', version: 'v1' } }
  const { configuration } = compileTelemetry([new Source('telemetry.yaml', TELEMETRY)], { workload })
  const host = await createEnvoyHost({
    wasm: filter,
    configuration: { ...configuration! },
    bootstrap: bootstrapFor(configuration),
    tls: {},
    upstream: ({ path }) => STATUS[path] ?? 200,
  })
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-prometheus-'))
  const [port] = await freePorts(1)
  writeFileSync(join(folder, 'rules.yaml'), readFileSync(join(DASHBOARDS, 'prometheus-rules.yaml')))
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [
        {
          job_name: 'envoy',
          metrics_path: '/stats/prometheus',
          static_configs: [{ targets: [`127.0.0.1:${host.envoy.adminPort}`] }],
        },
      ],
    }),
  )
  const prometheus = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => prometheus.once('close', resolve))
  try {
    const query = async (text: string): Promise<{ metric: Record<string, string>; value: number }[]> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`
      const answer = await fetch(url).catch(() => undefined)
      const body = (await answer?.json().catch(() => undefined)) as
        { data?: { result?: { metric: Record<string, string>; value: [number, string] }[] } } | undefined
      return (body?.data?.result ?? []).map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    }
    const send = async () => {
      for (const [path, count] of Object.entries(TRAFFIC))
        for (let n = 0; n < count; n++) await host.request(path, { peer: CLIENT })
    }
    await send()
    const of = `{destination_workload=~"cart-v1.*",reporter="destination"}`
    await expect.poll(() => query(`sum(istio_requests_total${of})`), { timeout: 20_000 }).toMatchObject([{ value: 52 }])

    // A second scrape with more, for rates.
    await send()
    await expect
      .poll(() => query(`sum(istio_requests_total${of})`), { timeout: 20_000 })
      .toMatchObject([{ value: 104 }])
    const total = `sum(rate(istio_requests_total${of}[1m]))`
    const errors = `sum(rate(istio_requests_total{destination_workload=~"cart-v1.*",reporter="destination",response_code=~"[45][0-9]{2}"}[1m]))`
    const [share] = await query(`${errors} / ${total}`)
    expect(share!.value).toBeCloseTo(12 / 52, 6)
    for (const q of [0.5, 0.9, 0.99]) {
      const buckets = `sum by (le) (rate(istio_request_duration_milliseconds_bucket${of}[1m]))`
      const [latency] = await query(`histogram_quantile(${q}, ${buckets})`)
      expect(latency!.value).toBeGreaterThan(0)
      expect(latency!.value).toBeLessThan(10_000)
    }

    // What rules record.
    await expect
      .poll(async () => (await query('workload:istio_requests:rate5m'))[0]?.metric['destination_workload'], {
        timeout: 20_000,
      })
      .toBe('cart-v1')

    const [series] = await query(`istio_requests_total{response_code="404"}`)
    expect(series).toMatchObject({
      metric: {
        reporter: 'destination',
        source_principal: CLIENT,
        source_workload_namespace: 'web',
        destination_workload: 'cart-v1',
        destination_workload_namespace: 'shop',
        request_protocol: 'http',
        connection_security_policy: 'mutual_tls',
        request_method: 'GET',
      },
      value: 16,
    })

    // The order in which Envoy shows them is that of Istio; the one of our own is behind.
    const { text } = await host.envoy.admin('/stats/prometheus?filter=istio_')
    const line = text.split('\n').find((each) => each.startsWith('istio_requests_total{'))!
    const names = [...line.matchAll(/(\w+)="/g)].map(([, name]) => name!)
    const known = new Set<string>(LABELS)
    expect(names.filter((name) => known.has(name))).toEqual(LABELS)
    expect(names.filter((name) => !known.has(name))).toEqual(['request_method'])

    // promtool finds fault with names that Istio has chosen so, and with nothing else.
    const checked = promtool(['check', 'metrics'], `${text}\n`)
    const complaints = checked.split('\n').filter((each) => each !== '' && !ISTIOS_OWN.test(each))
    expect(complaints).toEqual([])
  } finally {
    prometheus.kill()
    await ended
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Envoy's exposition has no HELP; Istio counts in milliseconds. */
const ISTIOS_OWN = /no help text|use base unit "seconds"|metric names should not contain abbreviated units/

function promtool(args: string[], input: string): string {
  try {
    return execFileSync('promtool', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return stdout + stderr
  }
}

test('the rules are as Prometheus takes them, and the files those that the definitions make', () => {
  expect(promtool(['check', 'rules', join(DASHBOARDS, 'prometheus-rules.yaml')], '')).toContain('10 rules found')
  for (const [name, text] of Object.entries(dashboardFiles()))
    expect(readFileSync(join(DASHBOARDS, name), 'utf8'), 'run `npm run docs:dashboards`').toBe(text)
})
