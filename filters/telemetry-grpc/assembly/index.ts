// The telemetry filter with callbacks for bodies: it enters the VM with every chunk of every body, also of requests that are not gRPC.

import { Action, ByteString, utf8 } from '@meshscript/sdk'
import { HeaderTelemetryRoot, HeaderTelemetryStream } from '../../telemetry-headers/assembly/index'
import { isGrpc } from '../../telemetry/assembly/exchange'
import { MessageCounter } from './message_counter'

export class GrpcTelemetryRoot extends HeaderTelemetryRoot {
  get seesBodies(): bool {
    return true
  }
}

/** Counts the messages of gRPC requests and responses. */
export class GrpcTelemetryStream extends HeaderTelemetryStream {
  /** Null where the request is not gRPC. */
  private sent: MessageCounter | null = null
  private received: MessageCounter | null = null

  onRequestHeaders(endOfStream: bool): Action {
    const telemetry = this.root.telemetry
    const metrics = telemetry ? telemetry.metrics : null
    if (metrics && metrics.hasGrpc) {
      const type = this.requestHeaders.get(utf8('content-type'))
      if (isGrpc(type ? type : ByteString.empty)) {
        this.sent = new MessageCounter()
        this.received = new MessageCounter()
      }
    }
    return super.onRequestHeaders(endOfStream)
  }

  onRequestBody(size: u32, endOfStream: bool): Action {
    const counter = this.sent
    if (counter) counter.take(this.requestBody, size)
    return Action.Continue
  }

  onResponseBody(size: u32, endOfStream: bool): Action {
    const counter = this.received
    if (counter) counter.take(this.responseBody, size)
    return Action.Continue
  }

  onLog(): void {
    super.onLog()
    const counter = this.sent
    const telemetry = this.root.telemetry
    const metrics = telemetry ? telemetry.metrics : null
    if (counter && metrics) metrics.reportMessages(counter.count, this.received!.count)
  }
}
