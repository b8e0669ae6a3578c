/** Three services, a, b and c, each behind an Envoy of its own, as sidecars are: every Envoy has a listener for what comes and one for what goes. */
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  buildBootstrap,
  type EnvoyProcess,
  type Json,
  placeModule,
  routeConfig,
  startEnvoy,
  staticFilter,
  temporaryDirectory,
} from '@meshscript/sdk/testing/envoy/index'
import type { Collector, Receiver } from './collector.ts'

export const SERVICES = ['a', 'b', 'c'] as const
type Service = (typeof SERVICES)[number]

/** How one Envoy traces: by the filter, or by a tracer of its own. */
export interface Tracing {
  receiver: Receiver
  /** The filter's module, and the `traces` of its configuration. */
  filter?: { wasm: string; traces: object }
  /** `tracing` of the connection manager, for a service's name. */
  native?: (service: string) => Json
}

/** What an application has to hand on for its traces to be whole; tracers in applications do it for them. */
const HANDED_ON = /^(traceparent|tracestate|b3|x-b3-.*|x-request-id|x-datadog-.*)$/
/** Milliseconds that an application takes, before it asks the next one and after that. */
export const PAUSE = 4

/** Trusted: so that Envoy keeps headers that only clients inside may send. */
export const INSIDE = { 'x-forwarded-for': '10.1.2.3' }

export class Chain {
  readonly #envoys: EnvoyProcess[] = []
  readonly #servers: Server[] = []
  readonly #outbound = new Map<Service, number>()
  /** Headers of requests as the last service got them. */
  readonly received: IncomingHttpHeaders[] = []
  #entry = 0

  /** Starts it; `tracing` says how each service's Envoy traces. */
  static async start(collector: Collector, tracing: (service: Service) => Tracing): Promise<Chain> {
    const chain = new Chain()
    try {
      // The last one first: who calls it has to know where it is.
      for (const service of SERVICES.toReversed()) await chain.#add(service, collector, tracing(service))
      return chain
    } catch (error) {
      await chain.close()
      throw error
    }
  }

  async #add(service: Service, collector: Collector, tracing: Tracing): Promise<void> {
    const application = await this.#application(service)
    const directory = temporaryDirectory()
    const { filter } = tracing
    const path = filter && (await placeModule(directory, 'telemetry', filter.wasm))
    const listener = (name: string, reporter: 'source' | 'destination', cluster: string) => ({
      name,
      http: {
        routes: routeConfig([{ cluster }]),
        filters: filter ? [staticFilter('http', 'telemetry', plugin(filter, service, reporter), path!)] : [],
        connectionManager: {
          ...(tracing.native && { tracing: tracing.native(`${service}.shop`) }),
          internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] },
        },
      },
      extra: { traffic_direction: reporter === 'source' ? 'OUTBOUND' : 'INBOUND' },
    })
    const isLast = !this.#entry
    const envoy = await startEnvoy({
      directory,
      bootstrap: buildBootstrap({
        listeners: [
          listener('inbound', 'destination', 'application'),
          ...(isLast ? [] : [listener('outbound', 'source', 'next')]),
        ],
        clusters: {
          application: { endpoints: [{ host: '127.0.0.1', port: application }] },
          collector: collector.cluster(tracing.receiver),
          ...(!isLast && { next: { endpoints: [{ host: '127.0.0.1', port: this.#entry }] } }),
        },
        // What Zipkin's tracer calls the service.
        extra: { node: { cluster: `${service}.shop` }, ...RUNTIME },
      }),
    })
    this.#envoys.push(envoy)
    this.#entry = envoy.ports['inbound']!
    if (!isLast) this.#outbound.set(service, envoy.ports['outbound']!)
  }

  /** A service that asks the next one through its Envoy; the last one answers. */
  async #application(service: Service): Promise<number> {
    const server = createServer((incoming, response) => {
      const port = this.#outbound.get(service)
      if (port === undefined) {
        this.received.push(incoming.headers)
        response.end('ok')
        return
      }
      const handedOn = Object.entries(incoming.headers).filter(([name]) => HANDED_ON.test(name))
      void (async () => {
        await sleep(PAUSE)
        const status = await get(port, { ...(Object.fromEntries(handedOn) as Record<string, string>), ...INSIDE })
        await sleep(PAUSE)
        response.writeHead(status).end()
      })()
    })
    this.#servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  /** A client asks the first service; answers the status. */
  request(headers: Record<string, string> = {}): Promise<number> {
    return get(this.#entry, { ...INSIDE, ...headers })
  }

  /** Spans whose receipt the receiver has confirmed to the filters. */
  async sent(): Promise<number> {
    const all = await Promise.all(this.#envoys.map((envoy) => envoy.stats('telemetry_items_total.*result=.=sent')))
    return all.flatMap((stats) => Object.values(stats)).reduce<number>((sum, value) => sum + Number(value), 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.#envoys.map((envoy) => envoy.stop()))
    await Promise.all(
      this.#servers.map((server) => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      }),
    )
  }
}

/** Envoy's own tracers send what they have at once, as the filter is told to. */
const RUNTIME = {
  layered_runtime: {
    layers: [
      {
        name: 'soon',
        static_layer: {
          tracing: {
            opentelemetry: { flush_interval_ms: 50, min_flush_spans: 1 },
            zipkin: { flush_interval_ms: 50, min_flush_spans: 1 },
          },
        },
      },
    ],
  },
}

function plugin({ wasm, traces }: NonNullable<Tracing['filter']>, service: Service, reporter: string) {
  const workload = { name: `${service}-v1`, namespace: 'shop', canonicalService: service, version: 'v1' }
  const batch = { interval: '50ms' }
  return { wasm, configuration: { version: 1, reporter, workload, traces: { batch, ...traces } } }
}

function get(port: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path: '/cart?secret=1', headers, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    call.once('error', reject)
    call.end()
  })
}
