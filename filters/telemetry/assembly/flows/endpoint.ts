import { Bytes, ByteString, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'
import { namespaceOf } from '../peers/known_peers'
import { Workload } from '../workload'

const SLOTS: u32 = 64
const MAX_TEXT: i32 = 256

/** An endpoint as it was written before. */
@final
class Written {
  constructor(
    public id: u64,
    public principal: Bytes,
    public text: Bytes,
  ) {}
}

/** Endpoints of flows: `{"namespace":"shop","labels":["k8s:app=cart"],"workloads":[{"name":"cart-v1"}]}`. The same ones come again and again. */
@final
export class Endpoints {
  private written: StaticArray<Written | null> = new StaticArray<Written | null>(SLOTS)

  /** `pod`: name of the pod of all of them; empty where it is not known. */
  constructor(private pod: Bytes) {}

  /** Writes one, with `before` in front; nothing where nothing is known of it. `principal`: what its certificate says; may be empty. */
  write(line: Writer, before: ByteString, workload: Workload | null, principal: ByteString): void {
    if (!workload && principal.isEmpty) return
    line.raw(before)
    const id = workload ? workload.id : 0
    const slot = (principal.hash() ^ (<u32>id)) & (SLOTS - 1)
    const written = unchecked(this.written[slot])
    if (written && written.id == id && written.principal.equals(principal)) {
      line.raw(written.text.view)
      return
    }
    const from = line.length
    this.encode(line, workload, principal)
    if (line.isTooLong) return
    unchecked((this.written[slot] = new Written(id, principal.persist(), line.bytes.slice(from).persist())))
  }

  private encode(line: Writer, workload: Workload | null, principal: ByteString): void {
    const namespace = namespaceIn(workload, principal)
    line.byte(0x7b)
    const from = line.length
    if (workload) member(line, from, utf8('"cluster_name":'), workload.cluster.view)
    member(line, from, utf8('"namespace":'), namespace)
    separate(line, from).raw(utf8('"labels":['))
    encodeLabels(line, workload, principal, namespace)
    line.byte(0x5d)
    member(line, from, utf8('"pod_name":'), this.pod.view)
    if (workload && workload.name.length)
      separate(line, from).raw(utf8('"workloads":[{"name":')).string(workload.name.view, MAX_TEXT).raw(utf8('}]'))
    line.byte(0x7d)
  }
}

/** What the certificate says goes before what else is known. */
export function namespaceIn(workload: Workload | null, principal: ByteString): ByteString {
  const namespace = namespaceOf(principal)
  return namespace.isEmpty && workload ? workload.namespace.view : namespace
}

/** In their order, as Cilium has them: of the pod, and what it adds of namespace and service account. */
function encodeLabels(line: Writer, workload: Workload | null, principal: ByteString, namespace: ByteString): void {
  const from = line.length
  if (workload) {
    label(line, from, utf8('"k8s:app='), workload.app.view)
    label(line, from, utf8('"k8s:io.cilium.k8s.policy.cluster='), workload.cluster.view)
  }
  label(line, from, utf8('"k8s:io.cilium.k8s.policy.serviceaccount='), serviceAccountOf(principal))
  label(line, from, utf8('"k8s:io.kubernetes.pod.namespace='), namespace)
  if (!workload) return
  label(line, from, utf8('"k8s:service.istio.io/canonical-name='), workload.canonicalService.view)
  label(line, from, utf8('"k8s:version='), workload.version.view)
}

function label(line: Writer, from: i32, start: ByteString, value: ByteString): void {
  if (!value.isEmpty) separate(line, from).raw(start).escaped(value, MAX_TEXT).byte(0x22)
}

function member(line: Writer, from: i32, name: ByteString, value: ByteString): void {
  if (!value.isEmpty) separate(line, from).raw(name).string(value, MAX_TEXT)
}

/** A comma, behind the first. */
function separate(line: Writer, from: i32): Writer {
  return line.length > from ? line.byte(0x2c) : line
}

/** The service account of a SPIFFE ID, `spiffe://cluster.local/ns/shop/sa/cart`; empty where there is none. */
function serviceAccountOf(principal: ByteString): ByteString {
  const at = principal.indexOf(utf8('/sa/'))
  return at < 0 ? ByteString.empty : principal.slice(at + 4)
}
