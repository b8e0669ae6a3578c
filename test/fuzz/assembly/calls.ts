// Callouts and gRPC, whose answers come later, never, or twice.

import { Context, grpcCall, GrpcStatus, GrpcStream, httpCall } from '@meshscript/sdk'
import { consume, useBytes, useOptional } from './bytes'
import { Input, isPolite } from './input'
import { someHeaders, useBuffer, useMap } from './stream_operations'

export class Chat extends GrpcStream<Context> {
  onInitialMetadata(): void {
    useMap(Input.read(), this.initialMetadata)
  }

  onMessage(): void {
    const input = Input.read()
    useBytes(input, this.message)
    if (input.below(8) == 0) this.cancel()
    else this.send(this.message, input.flag())
  }

  onTrailingMetadata(): void {
    useMap(Input.read(), this.trailingMetadata)
  }

  onClose(status: GrpcStatus): void {
    const input = Input.read()
    useBytes(input, this.statusMessage)
    consume(status)
    this.send('too late')
    this.close()
  }
}

export function startCall(input: Input, context: Context): void {
  switch (input.below(3)) {
    case 0:
      startHttpCall(input, context)
      break
    case 1:
      startGrpcCall(input, context)
      break
    default: {
      const chat = new Chat(context)
      chat.open(input.text(), input.flag() ? input.text() : input.text().concat('/M'), someHeaders(input))
      chat.send(input.text())
      // Of no use; but it must not do harm.
      if (input.below(8) == 0) chat.open('upstream', 'pkg.Service/Again')
      // A stream that nobody ends is kept without end.
      if (isPolite || input.below(4) == 0) chat.close()
      if (input.below(8) == 0) chat.cancel()
    }
  }
}

function startHttpCall(input: Input, context: Context): void {
  httpCall(
    context,
    input.text(),
    someHeaders(input),
    input.timeout(),
    (self, response) => {
      const input = Input.read()
      consume(u64(response.failed) + response.status + self.id)
      useMap(input, response.headers)
      useBuffer(input, response.body)
      useMap(input, response.trailers)
      if (input.below(4) == 0) startCall(input, self)
    },
    input.flag() ? input.text() : null,
    input.flag() ? someHeaders(input) : null,
  )
}

function startGrpcCall(input: Input, context: Context): void {
  const metadata = input.flag() ? someHeaders(input) : null
  grpcCall(
    context,
    input.text(),
    input.text(),
    input.text(),
    input.timeout(),
    (self, response) => {
      const input = Input.read()
      consume(response.status + self.id)
      useBytes(input, response.message)
      useOptional(input, response.statusMessage)
    },
    metadata,
  )
}
