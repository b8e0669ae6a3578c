import { ByteString, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'
import { RequestRecord } from './record'
import { MAX_VALUE, withoutSpaces } from './text'
import { writeTime } from './time'

/** Istio's JSON format, with the members in Envoy's order: by name. */
export function writeJson(line: Writer, record: RequestRecord): void {
  text(line, utf8('{"authority":'), record.authority)
  number(line, utf8(',"bytes_received":'), record.bytesReceived)
  number(line, utf8(',"bytes_sent":'), record.bytesSent)
  text(line, utf8(',"connection_termination_details":'), record.connectionTerminationDetails)
  text(line, utf8(',"downstream_local_address":'), record.downstreamLocalAddress)
  text(line, utf8(',"downstream_remote_address":'), record.downstreamRemoteAddress)
  if (record.duration >= 0) number(line, utf8(',"duration":'), record.duration)
  else text(line, utf8(',"duration":'), null)
  text(line, utf8(',"method":'), record.method)
  text(line, utf8(',"path":'), record.path)
  text(line, utf8(',"protocol":'), record.protocol)
  text(line, utf8(',"request_id":'), record.requestId)
  text(line, utf8(',"requested_server_name":'), record.requestedServerName)
  number(line, utf8(',"response_code":'), record.responseCode)
  text(line, utf8(',"response_code_details":'), withoutSpaces(record.responseCodeDetails))
  text(line, utf8(',"response_flags":'), record.responseFlags)
  text(line, utf8(',"route_name":'), record.routeName)
  line.raw(utf8(',"start_time":"'))
  writeTime(line, record.startTime)
  line.byte(0x22)
  text(line, utf8(',"upstream_cluster":'), record.upstreamCluster)
  text(line, utf8(',"upstream_host":'), record.upstreamHost)
  text(line, utf8(',"upstream_local_address":'), record.upstreamLocalAddress)
  text(line, utf8(',"upstream_service_time":'), record.upstreamServiceTime)
  text(line, utf8(',"upstream_transport_failure_reason":'), withoutSpaces(record.upstreamTransportFailureReason))
  text(line, utf8(',"user_agent":'), record.userAgent)
  text(line, utf8(',"x_forwarded_for":'), record.forwardedFor)
  line.byte(0x7d)
}

function text(line: Writer, name: ByteString, value: ByteString | null): void {
  line.raw(name)
  if (value) line.string(value, MAX_VALUE)
  else line.raw(utf8('null'))
}

function number(line: Writer, name: ByteString, value: i64): void {
  line.raw(name).int(value)
}
