/** Requests as upstream servers got them. */
import type { UpstreamRequest } from '../../types.ts'

export interface RecordedRequest {
  request: UpstreamRequest
  /** Address of Envoy's end of the connection, as Envoy's access log has it. */
  peer: string
}

export type Recorder = (recorded: RecordedRequest) => void

/** A server for one cluster. */
export interface ClusterServer {
  port: number
  protocol: 'http1' | 'http2'
  close(): Promise<void>
}
