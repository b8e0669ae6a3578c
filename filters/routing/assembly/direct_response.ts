import { Bytes, Headers, JsonValue, utf8 } from '@meshscript/sdk'
import { decodeBase64 } from '../../common/assembly/base64'

/** An answer without an upstream. */
@final
export class DirectResponse {
  status: u32 = 0
  readonly body!: Bytes
  private contentType: Bytes | null

  constructor(json: JsonValue) {
    this.status = <u32>json.get('status').integer(-1, 200, 599)
    const body = json.get('body')
    const encoded = json.get('bodyBase64')
    if (body.exists && encoded.exists) json.fail('expected only one of "body" and "bodyBase64"')
    const decoded = encoded.exists ? decodeBase64(encoded.byteString()) : body.bytes('')
    if (!decoded) encoded.fail('expected base64')
    this.body = decoded ? decoded : Bytes.from('')
    const type = json.get('contentType')
    this.contentType = type.exists ? type.bytes() : null
  }

  /** Null where Envoy's own are enough. */
  get headers(): Headers | null {
    const type = this.contentType
    return type ? new Headers().add(utf8('content-type'), type) : null
  }
}
