import { ByteString, JsonValue, RootContext } from '@meshscript/sdk'
import { AccessLogs } from './access_log/index'
import { ExportSchedule } from './export/schedule'
import { Exchange } from './exchange'
import { Flows } from './flows/index'
import { Metrics } from './metrics/index'
import { KnownPeers } from './peers/known_peers'
import { MetadataExchange } from './peers/metadata_exchange'
import { firstLabel, Service, Services } from './services'
import { Traces } from './traces/index'
import { Workload } from './workload'

/** A configuration, read. */
@final
export class Telemetry {
  readonly exchange: Exchange
  /** Of what is sent to receivers. */
  readonly schedule: ExportSchedule
  /** Null where peers are not told who we are, nor listened to. */
  peers: MetadataExchange | null = null
  /** Null where nothing is counted. */
  metrics: Metrics | null = null
  /** Null where traces are left as they are. */
  traces: Traces | null = null
  /** Null where no flows are recorded. */
  flows: Flows | null = null
  /** Null where nothing is logged. */
  accessLog: AccessLogs | null = null

  constructor(json: JsonValue, root: RootContext) {
    this.schedule = new ExportSchedule(root)
    json.get('$schema').string('')
    const version = json.get('version')
    if (version.integer() != 1) version.fail('expected 1, the version of this format')
    const isSource = json.get('reporter').oneOf(['destination', 'source']) == 1
    const workload = json.get('workload')
    const own = Workload.read(workload)
    this.exchange = new Exchange(
      isSource,
      own,
      readService(workload.get('service'), isSource),
      new KnownPeers(json.get('peers')),
      new Services(json.get('services')),
    )
    if (json.get('metadataExchange').bool(false)) this.peers = new MetadataExchange(own)
    const metrics = json.get('metrics')
    if (metrics.exists) this.metrics = new Metrics(metrics, this.exchange)
    const traces = json.get('traces')
    if (traces.exists) this.traces = new Traces(traces, this.exchange, this.schedule)
    const flows = json.get('flows')
    if (flows.exists) this.flows = new Flows(flows, this.exchange, this.schedule, traces.exists)
    const accessLog = json.get('accessLog')
    if (accessLog.exists) this.accessLog = new AccessLogs(accessLog, this.exchange, this.schedule)
    this.exchange.attributes.prepare()
  }
}

function readService(json: JsonValue, isSource: bool): Service | null {
  if (!json.exists) return null
  const service = new Service(ByteString.empty.persist(), 0)
  service.host = json.bytes()
  if (!service.host.length) json.fail('expected a host')
  service.name = firstLabel(service.host.view).persist()
  // It is what others ask for, not what is asked from here.
  return isSource ? null : service
}
