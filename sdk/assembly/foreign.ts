import { Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { Bytes, ByteString, slot, utf8, view } from './memory/bytes'
import { protobufBytes, protobufInteger, ProtobufWriter } from './memory/protobuf'

/** Status of the last foreign function that answered null or false. */
export let foreignStatus: Status = Status.Ok

/** Calls a function of the host by name. Null when it fails or is unknown (`foreignStatus`). */
export function callForeignFunction<N, A>(name: N, argument: A): ByteString | null {
  const n = view(name)
  const a = view(argument)
  const result = slot()
  const out = changetype<usize>(result)
  foreignStatus = host.call_foreign_function(
    n.ptr,
    n.length,
    a.ptr,
    a.length,
    out,
    out + offsetof<ByteString>('length'),
  )
  return foreignStatus == Status.Ok ? result : null
}

/** zlib. */
export function compress<T>(data: T): ByteString | null {
  return callForeignFunction(utf8('compress'), data)
}

/** zlib. */
export function uncompress<T>(data: T): ByteString | null {
  return callForeignFunction(utf8('uncompress'), data)
}

/** Makes the proxy choose the route anew, after a change of what routes match. (Changing headers does it by itself in Envoy 1.40.) */
export function clearRouteCache(): bool {
  return callForeignFunction(utf8('clear_route_cache'), ByteString.empty) !== null
}

/** How long filter state lives. */
export enum LifeSpan {
  FilterChain = 0,
  Request = 1,
  Connection = 2,
}

/**
 * Sets filter state that native filters read, such as `envoy.tcp_proxy.cluster`.
 * Keys without an object factory in Envoy fail with `Status.NotFound`; own values go to `filterState.set`.
 */
export function setEnvoyFilterState<K, V>(key: K, value: V, span: LifeSpan = LifeSpan.FilterChain): bool {
  const k = view(key)
  const v = view(value)
  const message = new ProtobufWriter(k.length + v.length, 3).bytes(1, k).bytes(2, v).integer(3, span).finish()
  return callForeignFunction(utf8('set_envoy_filter_state'), message) !== null
}

/** Type of a declared property. */
export enum PropertyType {
  Bytes = 0,
  String = 1,
  FlatBuffers = 2,
  Protobuf = 3,
}

/** Declares filter state `wasm.NAME` before it is first set: its type, life span and whether it may change. `schema` may be empty. */
export function declareProperty<N>(
  name: N,
  type: PropertyType,
  span: LifeSpan,
  readonly: bool = false,
  schema: ByteString = ByteString.empty,
): bool {
  const n = view(name)
  const message = new ProtobufWriter(n.length + schema.length, 5)
    .bytes(1, n)
    .integer(2, readonly ? 1 : 0)
    .integer(3, type)
    .bytes(4, schema)
    .integer(5, span)
    .finish()
  return callForeignFunction(utf8('declare_property'), message) !== null
}

/** A CEL expression in the host. Compile it at configure time, evaluate it as often as needed. */
export class Expression {
  private constructor(private token: Bytes) {}

  /** Null when the host refuses the expression. */
  static compile<T>(source: T): Expression | null {
    const token = callForeignFunction(utf8('expr_create'), source)
    return token && token.length == 4 ? new Expression(token.persist()) : null
  }

  /** The value in the encoding of properties (see `property`), or null. */
  evaluate(): ByteString | null {
    return callForeignFunction(utf8('expr_evaluate'), this.token.view)
  }

  /** The value of a condition; false when it can't be evaluated. */
  test(): bool {
    const value = this.evaluate()
    return value !== null && value.length == 1 && load<u8>(value.ptr) != 0
  }

  /** Lets the host forget the expression. */
  delete(): void {
    callForeignFunction(utf8('expr_delete'), this.token.view)
  }
}

/**
 * True when `signature` over `text` is right. A wrong one is false with `foreignStatus` Ok.
 *
 * @param hash Such as `sha256`.
 * @param publicKey DER (SubjectPublicKeyInfo), or PEM where `isPem`.
 */
export function verifySignature<H>(
  hash: H,
  publicKey: ByteString,
  signature: ByteString,
  text: ByteString,
  isPem: bool = false,
): bool {
  const h = view(hash)
  const message = new ProtobufWriter(h.length + publicKey.length + signature.length + text.length, 4)
    .bytes(1, h)
    .bytes(isPem ? 5 : 2, publicKey)
    .bytes(3, signature)
    .bytes(4, text)
    .finish()
  const answer = callForeignFunction(utf8('verify_signature'), message)
  return answer !== null && protobufInteger(answer, 1) == 1
}

/**
 * Signs `text` (Envoy 1.37 and later). Null when it fails.
 *
 * @param hash Such as `sha256`.
 * @param privateKey DER (PKCS #8), or PEM where `isPem`.
 */
export function sign<H>(hash: H, privateKey: ByteString, text: ByteString, isPem: bool = false): ByteString | null {
  const h = view(hash)
  const message = new ProtobufWriter(h.length + privateKey.length + text.length, 3)
    .bytes(1, h)
    .bytes(isPem ? 4 : 2, privateKey)
    .bytes(3, text)
    .finish()
  const answer = callForeignFunction(utf8('sign'), message)
  return answer !== null && protobufInteger(answer, 1) == 1 ? protobufBytes(answer, 2) : null
}
