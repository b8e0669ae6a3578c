import { Bytes, ByteString, utf8 } from '@meshscript/sdk'
import { decimal } from '../../../common/assembly/decimal'
import { Exchange } from '../exchange'
import { responseFlagsText } from '../flags'
import { Workload } from '../workload'

/** Istio's labels, in Istio's order. */
export enum Label {
  Reporter,
  SourceWorkload,
  SourceCanonicalService,
  SourceCanonicalRevision,
  SourceWorkloadNamespace,
  SourcePrincipal,
  SourceApp,
  SourceVersion,
  SourceCluster,
  DestinationWorkload,
  DestinationWorkloadNamespace,
  DestinationPrincipal,
  DestinationApp,
  DestinationVersion,
  DestinationService,
  DestinationCanonicalService,
  DestinationCanonicalRevision,
  DestinationServiceName,
  DestinationServiceNamespace,
  DestinationCluster,
  RequestProtocol,
  ResponseCode,
  GrpcResponseStatus,
  ResponseFlags,
  ConnectionSecurityPolicy,
}

/** Names by `Label`. */
export const LABELS: string[] = [
  'reporter',
  'source_workload',
  'source_canonical_service',
  'source_canonical_revision',
  'source_workload_namespace',
  'source_principal',
  'source_app',
  'source_version',
  'source_cluster',
  'destination_workload',
  'destination_workload_namespace',
  'destination_principal',
  'destination_app',
  'destination_version',
  'destination_service',
  'destination_canonical_service',
  'destination_canonical_revision',
  'destination_service_name',
  'destination_service_namespace',
  'destination_cluster',
  'request_protocol',
  'response_code',
  'grpc_response_status',
  'response_flags',
  'connection_security_policy',
]

/** What of an exchange labels are made from. */
export enum Need {
  Nothing = 0,
  Code = 1,
  Flags = 2,
  Grpc = 4,
  Principals = 8,
  Peer = 16,
  Service = 32,
}

/** What a label is made from; `isSource`: at the side that asks. */
export function needsOf(label: Label, isSource: bool): Need {
  switch (label) {
    case Label.ResponseCode:
      return Need.Code
    case Label.ResponseFlags:
      return Need.Flags
    case Label.RequestProtocol:
    case Label.GrpcResponseStatus:
      return Need.Grpc
    case Label.SourcePrincipal:
    case Label.DestinationPrincipal:
      return Need.Principals
    case Label.ConnectionSecurityPolicy:
      return isSource ? Need.Nothing : Need.Principals
    case Label.DestinationService:
    case Label.DestinationServiceName:
      return Need.Service
    case Label.DestinationServiceNamespace:
      return isSource ? Need.Principals | Need.Peer | Need.Service : Need.Nothing
    case Label.Reporter:
      return Need.Nothing
  }
  if (isSource != label > Label.SourceCluster) return Need.Nothing
  const isNamespace = label == Label.SourceWorkloadNamespace || label == Label.DestinationWorkloadNamespace
  return isNamespace ? Need.Principals | Need.Peer : Need.Peer
}

/** The value of a label; `isTcp`: of a connection. */
export function valueOf(label: Label, exchange: Exchange, isTcp: bool): ByteString {
  const isSource = exchange.isSource
  switch (label) {
    case Label.Reporter:
      return isSource ? utf8('source') : utf8('destination')
    case Label.SourcePrincipal:
      return orUnknown(isSource ? exchange.ownPrincipal : exchange.peerPrincipal)
    case Label.DestinationPrincipal:
      return orUnknown(isSource ? exchange.peerPrincipal : exchange.ownPrincipal)
    case Label.DestinationService:
      return serviceHost(exchange)
    case Label.DestinationServiceName:
      return serviceName(exchange)
    case Label.DestinationServiceNamespace:
      return serviceNamespace(exchange)
    case Label.RequestProtocol:
      return isTcp ? utf8('tcp') : exchange.grpcStatus == -1 ? utf8('http') : utf8('grpc')
    case Label.ResponseCode:
      return decimal(exchange.responseCode)
    case Label.GrpcResponseStatus:
      return exchange.grpcStatus < 0 ? ByteString.empty : decimal(exchange.grpcStatus)
    case Label.ResponseFlags:
      return responseFlagsText(exchange.responseFlags)
    case Label.ConnectionSecurityPolicy:
      return isSource ? utf8('unknown') : exchange.isMutualTls ? utf8('mutual_tls') : utf8('none')
  }
  const isOfSource = label <= Label.SourceCluster
  return isOfSource == isSource ? ofWorkload(label, exchange.own) : ofPeer(label, exchange)
}

function ofPeer(label: Label, exchange: Exchange): ByteString {
  if (label == Label.SourceWorkloadNamespace || label == Label.DestinationWorkloadNamespace)
    return orUnknown(exchange.peerNamespace)
  return ofWorkload(label, exchange.peer)
}

function ofWorkload(label: Label, workload: Workload | null): ByteString {
  switch (label) {
    case Label.SourceWorkload:
    case Label.DestinationWorkload:
      return text(workload ? workload.name : null)
    case Label.SourceWorkloadNamespace:
    case Label.DestinationWorkloadNamespace:
      return text(workload ? workload.namespace : null)
    case Label.SourceCanonicalService:
    case Label.DestinationCanonicalService:
      return text(workload ? workload.canonicalService : null)
    case Label.SourceCanonicalRevision:
    case Label.DestinationCanonicalRevision:
      return workload && workload.canonicalRevision.length ? workload.canonicalRevision.view : utf8('latest')
    case Label.SourceApp:
    case Label.DestinationApp:
      return text(workload ? workload.app : null)
    case Label.SourceVersion:
    case Label.DestinationVersion:
      return text(workload ? workload.version : null)
    default:
      return text(workload ? workload.cluster : null)
  }
}

function serviceHost(exchange: Exchange): ByteString {
  const service = exchange.service
  if (service && service.host.length) return service.host.view
  return otherwiseOwn(exchange, exchange.authority)
}

function serviceName(exchange: Exchange): ByteString {
  const service = exchange.service
  if (service && service.name.length) return service.name.view
  return otherwiseOwn(exchange, exchange.authority)
}

/** What is asked of a workload without saying whom is asked of its own service. */
function otherwiseOwn(exchange: Exchange, value: ByteString): ByteString {
  if (!value.isEmpty || exchange.isSource) return orUnknown(value)
  return text(exchange.own.canonicalService)
}

function serviceNamespace(exchange: Exchange): ByteString {
  if (!exchange.isSource) return text(exchange.own.namespace)
  const namespace = exchange.peerNamespace
  if (!namespace.isEmpty) return namespace
  const service = exchange.service
  return text(service ? service.namespace : null)
}

function text(value: Bytes | null): ByteString {
  return value && value.length ? value.view : utf8('unknown')
}

function orUnknown(value: ByteString): ByteString {
  return value.isEmpty ? utf8('unknown') : value
}
