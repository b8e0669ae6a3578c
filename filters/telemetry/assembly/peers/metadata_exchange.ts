// Istio's exchange of metadata: proxies tell each other by two headers who they are. The value is a google.protobuf.Struct in base64:
//   Struct { map<string, Value> fields = 1 }, Value { oneof { … string string_value = 3; Struct struct_value = 5 } }

import { Bytes, ByteString, HeaderMap, property, ProtobufWriter, protobufBytes, utf8 } from '@meshscript/sdk'
import { decodeBase64, encodeBase64 } from '../../../common/assembly/base64'
import { Fields } from '../../../common/assembly/protobuf'
import { keyedHash } from '../keyed_hash'
import { Workload } from '../workload'

/** How many values are remembered. */
const SLOTS: i32 = 512
/** A longer value is not listened to. */
const MAX_LENGTH: i32 = 16_384
/** A longer value is read each time: clients that send many of them do not fill the memory. */
const MAX_REMEMBERED: i32 = 4096
/** Bytes of a name that count, as in labels. */
const MAX_NAME: i32 = 256
const CANONICAL_NAME: string = 'service.istio.io/canonical-name'
const CANONICAL_REVISION: string = 'service.istio.io/canonical-revision'

/** What one has said, and who that is. */
@final
class Known {
  constructor(
    public value: Bytes,
    public workload: Workload,
  ) {}
}

/** Who peers say that they are, and what they are told. */
@final
export class MetadataExchange {
  private known: StaticArray<Known | null> = new StaticArray<Known | null>(SLOTS)
  private id: Bytes
  private value: Bytes

  constructor(own: Workload) {
    const id = property.get(utf8('xds\0node\0id'))
    this.id = id && !id.isEmpty ? id.persist() : own.name
    this.value = encodeBase64(structOf(own))
  }

  /** Adds who we are. */
  tell(headers: HeaderMap): void {
    headers.set(utf8('x-envoy-peer-metadata-id'), this.id.view)
    headers.set(utf8('x-envoy-peer-metadata'), this.value.view)
  }

  /** Who the other side says that it is; null where it says nothing. Its headers go no further. */
  listen(headers: HeaderMap): Workload | null {
    const value = headers.get(utf8('x-envoy-peer-metadata'))
    if (!value) return null
    const workload = this.find(value)
    headers.remove(utf8('x-envoy-peer-metadata'))
    headers.remove(utf8('x-envoy-peer-metadata-id'))
    return workload
  }

  /** By what it says, not by its id: that could be another's. */
  private find(value: ByteString): Workload | null {
    if (value.isEmpty || value.length > MAX_LENGTH) return null
    const slot = <i32>(keyedHash(value) & (SLOTS - 1))
    const known = unchecked(this.known[slot])
    if (known && known.value.view.equals(value)) return known.workload
    const message = decodeBase64(value)
    const workload = message ? workloadOf(message.view) : null
    if (workload && value.length <= MAX_REMEMBERED) unchecked((this.known[slot] = new Known(value.persist(), workload)))
    return workload
  }
}

function structOf(own: Workload): ByteString {
  const labels = ByteString.empty
    .concat(entry('app', own.app))
    .concat(entry(CANONICAL_NAME, own.canonicalService))
    .concat(entry(CANONICAL_REVISION, own.canonicalRevision))
    .concat(entry('version', own.version))
  const value = new ProtobufWriter(labels.length, 1).bytes(5, labels).finish()
  return ByteString.empty
    .concat(entry('CLUSTER_ID', own.cluster))
    .concat(field(utf8('LABELS'), value))
    .concat(entry('NAMESPACE', own.namespace))
    .concat(entry('WORKLOAD_NAME', own.name))
}

function entry(name: string, text: Bytes): ByteString {
  if (!text.length) return ByteString.empty
  return field(utf8('').concat(name), new ProtobufWriter(text.length, 1).bytes(3, text.view).finish())
}

function field(name: ByteString, value: ByteString): ByteString {
  const pair = new ProtobufWriter(name.length + value.length, 2).bytes(1, name).bytes(2, value).finish()
  return new ProtobufWriter(pair.length, 1).bytes(1, pair).finish()
}

/** Null where the message is not as it should be. */
function workloadOf(message: ByteString): Workload | null {
  const workload = new Workload()
  const fields = new Fields(message)
  while (fields.next()) {
    const name = fields.number == 1 && fields.hasBytes ? protobufBytes(fields.bytes, 1) : null
    const value = name ? protobufBytes(fields.bytes, 2) : null
    if (!name || !value) continue
    const text = protobufBytes(value, 3)
    if (name.equals('LABELS')) {
      const labels = protobufBytes(value, 5)
      if (labels && !readLabels(labels, workload)) return null
    } else if (text) {
      if (name.equals('NAMESPACE')) workload.namespace = nameOf(text)
      else if (name.equals('WORKLOAD_NAME')) workload.name = nameOf(text)
      else if (name.equals('CLUSTER_ID')) workload.cluster = nameOf(text)
    }
  }
  return fields.isMalformed ? null : workload.complete()
}

function readLabels(labels: ByteString, workload: Workload): bool {
  const fields = new Fields(labels)
  while (fields.next()) {
    const name = fields.number == 1 && fields.hasBytes ? protobufBytes(fields.bytes, 1) : null
    const value = name ? protobufBytes(fields.bytes, 2) : null
    const text = value ? protobufBytes(value, 3) : null
    if (!name || !text) continue
    if (name.equals('app')) workload.app = nameOf(text)
    else if (name.equals('version')) workload.version = nameOf(text)
    else if (name.equals(CANONICAL_NAME)) workload.canonicalService = nameOf(text)
    else if (name.equals(CANONICAL_REVISION)) workload.canonicalRevision = nameOf(text)
  }
  return !fields.isMalformed
}

function nameOf(text: ByteString): Bytes {
  return text.slice(0, MAX_NAME).persist()
}
