/** Clusters as functions: what a filter's callouts, and the proxy itself, find behind a name. */
import type { Cluster, GrpcHandler, HttpHandler } from './types.ts'

/** Kinds of services, for `HostOptions.clusters` and `upstream`. */
export const cluster = {
  /** Answers HTTP requests. A number is a status, a string a body with status 200. */
  http(handler: HttpHandler, options: { protocol?: 'http1' | 'http2' } = {}): Cluster {
    return { kind: 'http', handler, ...options }
  },
  /** Answers gRPC calls by full method name, e.g. `pkg.Service/Method`. */
  grpc(methods: Record<string, GrpcHandler>): Cluster {
    return { kind: 'grpc', methods }
  },
  /** Answers each piece of bytes that arrives; `null` answers nothing, `{ close: true }` closes the connection. */
  tcp(handler: Extract<Cluster, { kind: 'tcp' }>['handler']): Cluster {
    return { kind: 'tcp', handler }
  },
  /** Nothing listens there. */
  refused(): Cluster {
    return { kind: 'refused' }
  },
  /** Takes requests and never answers. */
  hang(): Cluster {
    return { kind: 'http', handler: () => ({ hang: true }) }
  },
  /** Closes the connection before any answer, or, with `afterHeaders`, in the middle of one. */
  reset(options: { afterHeaders?: boolean } = {}): Cluster {
    return { kind: 'http', handler: () => ({ reset: true, ...options }) }
  },
}
