/** gRPC messages in the bytes of a body: each behind a flag byte and its length. */

/** A message with its five bytes in front. */
export function grpcFrame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** The messages of a gRPC body. An incomplete last one is left out. */
export function grpcMessages(body: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at + 5 <= body.length;) {
    const end = at + 5 + body.readUInt32BE(at + 1)
    if (end > body.length) break
    messages.push(body.subarray(at + 5, end))
    at = end
  }
  return messages
}
