/** The filter beside Envoy's own: the same faults, the same answers. */
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import filter from '../../filters/fault/assembly/index.ts?filter'
import {
  buildBootstrap,
  type EnvoyProcess,
  extension,
  type Json,
  placeModule,
  startEnvoy,
  staticFilter,
  temporaryDirectory,
} from '../../sdk/testing/envoy/index.ts'

const percentage = { numerator: 100 }
/** Each as our configuration and as Envoy's. */
const FAULTS: Record<string, { ours: Json; native: Json }> = {
  'HTTP status': {
    ours: { abort: { percentage: 100, httpStatus: 418 } },
    native: { abort: { http_status: 418, percentage } },
  },
  'status 200': {
    ours: { abort: { percentage: 100, httpStatus: 200 } },
    native: { abort: { http_status: 200, percentage } },
  },
  'status 599': {
    ours: { abort: { percentage: 100, httpStatus: 599 } },
    native: { abort: { http_status: 599, percentage } },
  },
  'gRPC status': {
    ours: { abort: { percentage: 100, grpcStatus: 'UNAVAILABLE' } },
    native: { abort: { grpc_status: 14, percentage } },
  },
  'gRPC status OK': {
    ours: { abort: { percentage: 100, grpcStatus: 'OK' } },
    native: { abort: { grpc_status: 0, percentage } },
  },
  delay: {
    ours: { delay: { percentage: 100, fixed: '0.05s' } },
    native: { delay: { fixed_delay: '0.05s', percentage } },
  },
  'delay and abort': {
    ours: { delay: { percentage: 100, fixed: '0.05s' }, abort: { percentage: 100, httpStatus: 503 } },
    native: { delay: { fixed_delay: '0.05s', percentage }, abort: { http_status: 503, percentage } },
  },
  'none of a hundred': {
    ours: { delay: { percentage: 0, fixed: '9s' }, abort: { percentage: 0, httpStatus: 503 } },
    native: {
      delay: { fixed_delay: '9s', percentage: { numerator: 0 } },
      abort: { http_status: 503, percentage: { numerator: 0 } },
    },
  },
}

const CLIENTS: Record<string, IncomingHttpHeaders> = {
  HTTP: { ':method': 'GET' },
  HEAD: { ':method': 'HEAD' },
  'with a body': { ':method': 'POST', 'content-type': 'text/plain' },
  gRPC: { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' },
}

let envoy: EnvoyProcess

beforeAll(async () => {
  const directory = temporaryDirectory()
  const module = await placeModule(directory, 'fault', filter)
  const details = [{ header: { key: 'x-details', value: '%RESPONSE_CODE_DETAILS%' } }]
  const all = { comparison: { op: 'GE', value: { default_value: 0, runtime_key: 'no.such.key' } } }
  // Says in a header what access logs do.
  const connectionManager: Json = {
    local_reply_config: { mappers: [{ filter: { status_code_filter: all }, headers_to_add: details }] },
  }
  const routes: Json = {
    virtual_hosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } }],
      },
    ],
  }
  const listeners = Object.entries(FAULTS).flatMap(([name, { ours, native }]) => {
    const configuration = { version: 1, virtualHosts: [{ domains: ['*'], routes: [{ fault: ours }] }] }
    const wasm = staticFilter('http', 'fault', { wasm: filter, name, vmId: 'fault', configuration }, module)
    const own = extension('envoy.filters.http.fault', 'envoy.extensions.filters.http.fault.v3.HTTPFault', native)
    return [
      { name: `ours ${name}`, http: { filters: [wasm], routes, connectionManager } },
      { name: `native ${name}`, http: { filters: [own], routes, connectionManager } },
    ]
  })
  envoy = await startEnvoy({ bootstrap: buildBootstrap({ listeners }), directory })
})
afterAll(() => envoy?.stop())

/** Everything of an answer. */
function ask(listener: string, headers: IncomingHttpHeaders): Promise<object> {
  const session = connect(`http://127.0.0.1:${envoy.ports[listener]}`)
  return new Promise((resolve, reject) => {
    session.on('error', reject)
    const stream = session.request({ ':path': '/', ':authority': 'a.test', ...headers })
    const answer: { headers?: IncomingHttpHeaders; trailers?: IncomingHttpHeaders; body: string } = { body: '' }
    stream.setEncoding('utf8')
    stream.on('response', ({ date: _, ...rest }) => (answer.headers = rest))
    stream.on('trailers', (trailers) => (answer.trailers = trailers))
    stream.on('data', (chunk: string) => (answer.body += chunk))
    stream.on('error', reject)
    stream.on('close', () => {
      session.close()
      resolve({ ...answer, headers: { ...answer.headers } })
    })
    if (headers[':method'] === 'POST') stream.write('a body')
    stream.end()
  })
}

describe.each(Object.keys(FAULTS))('%s', (name) => {
  test.each(Object.keys(CLIENTS))('%s', async (client) => {
    const native = await ask(`native ${name}`, CLIENTS[client]!)
    expect(native).toHaveProperty('headers.x-details')
    expect(await ask(`ours ${name}`, CLIENTS[client]!)).toEqual(native)
  })
})
