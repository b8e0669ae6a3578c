import { Configuration, JsonValue, log, RootContext } from '@meshscript/sdk'
import { Telemetry } from './configuration'

export class TelemetryRoot extends RootContext {
  /** Null until a configuration was accepted; then nothing is told. */
  telemetry: Telemetry | null = null

  /** Whether the module sees headers on their way, not only when all is over. */
  get changesHeaders(): bool {
    return false
  }

  /** Whether the module sees bodies. */
  get seesBodies(): bool {
    return false
  }

  onConfigure(configuration: Configuration): bool {
    return this.configure(configuration.json())
  }

  /** Reads a configuration: a document, or a part of one. */
  configure(json: JsonValue): bool {
    const telemetry = new Telemetry(json, this)
    if (!json.refuseUnknown()) return false
    if (telemetry.peers && !this.changesHeaders)
      log.info('peers are not told who we are, nor listened to: telemetry-headers.wasm does that')
    if (telemetry.traces && telemetry.traces!.injects && !this.changesHeaders)
      log.info('what follows is not told of traces: telemetry-headers.wasm does that')
    if (telemetry.metrics && telemetry.metrics!.hasGrpc && !this.seesBodies)
      log.info('messages of gRPC are not counted: telemetry-grpc.wasm does that')
    const before = this.telemetry
    this.telemetry = telemetry
    if (before) before.schedule.retire()
    return true
  }

  onTick(): void {
    const telemetry = this.telemetry
    if (telemetry) telemetry.schedule.onTick()
  }
}
