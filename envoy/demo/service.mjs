// The services of the Docker demos. `payments` answers what it was asked. `frontend` is the workload that may ask it: it hands each
// request on to Envoy, with its own certificate. `checkout` asks it through its sidecar, and hands the headers of traces on, as every
// service has to.

import { readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { request } from 'node:https'

const PORT = 8080

const services = {
  payments(incoming, response) {
    incoming.resume()
    response.end(`payments: ${incoming.method} ${incoming.url} done\n`)
  },

  frontend(incoming, response) {
    const outgoing = request({
      host: 'envoy',
      port: 10000,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, host: 'payments' },
      ca: readFileSync('/demo/ca.pem'),
      cert: readFileSync('/demo/frontend.pem'),
      key: readFileSync('/demo/frontend-key.pem'),
      // A mesh's servers are known by their SPIFFE identity, not by a host name.
      checkServerIdentity: () => undefined,
    })
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', (error) => response.writeHead(502).end(`${error.message}\n`))
    incoming.pipe(outgoing)
  },

  checkout(incoming, response) {
    const names = ['traceparent', 'tracestate', 'x-request-id'].filter((name) => name in incoming.headers)
    const headers = Object.fromEntries(names.map((name) => [name, incoming.headers[name]]))
    const outgoing = httpRequest({
      host: 'envoy',
      port: 10001,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, host: 'payments.shop' },
    })
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode)
      answer.pipe(response)
    })
    outgoing.on('error', (error) => response.writeHead(502).end(`${error.message}\n`))
    incoming.pipe(outgoing)
  },
}

const server = createServer(services[process.argv[2]]).listen(PORT)
// As the first process of a container it is not ended by a signal that it does not handle.
process.on('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
