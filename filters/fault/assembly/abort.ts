import { Bytes, ByteString, GrpcStatus, HttpContext, JsonValue, utf8 } from '@meshscript/sdk'

/** As Envoy's. */
const BODY = 'fault filter abort'

/** By number. */
const GRPC_STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]

/** An answer instead of that of an upstream. */
@final
export class Abort {
  constructor(
    private status: u32,
    private grpcStatus: GrpcStatus,
    private body: Bytes,
  ) {}

  /** Reads `httpStatus` or `grpcStatus`, and `body`. */
  static read(json: JsonValue): Abort {
    const http = json.get('httpStatus')
    const grpc = json.get('grpcStatus')
    const body = json.get('body').bytes(BODY)
    if (http.exists == grpc.exists) json.fail('expected one of "httpStatus" and "grpcStatus"')
    if (http.exists) return new Abort(<u32>http.integer(-1, 200, 599), GrpcStatus.None, body)
    // As Envoy: for clients of HTTP that is a 200.
    return new Abort(200, grpc.exists ? grpc.oneOf(GRPC_STATUSES) : 0, body)
  }

  /** Of the text of a header: the number of an HTTP status, or the name of a gRPC status. Null where it is neither. */
  static parse(text: ByteString): Abort | null {
    if (text.length == 3) {
      const status = text.parseInt(-1)
      if (status >= 200 && status <= 599) return new Abort(<u32>status, GrpcStatus.None, Bytes.from(BODY))
    }
    for (let i = 0; i < GRPC_STATUSES.length; i++) {
      if (text.equals(GRPC_STATUSES[i])) return new Abort(200, i, Bytes.from(BODY))
    }
    return null
  }

  /** Answers the stream. */
  answer(stream: HttpContext): void {
    stream.sendLocalResponse(this.status, this.body, null, this.grpcStatus, utf8('fault_filter_abort'))
  }
}
