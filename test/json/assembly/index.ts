// Tells by its log lines how the SDK has read its configuration, token by token; an error is logged by the SDK itself.
import { Configuration, HttpContext, JsonKind, JsonValue, log, RootContext } from '@meshscript/sdk'

export class Reader extends RootContext {
  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    if (!json.hasError) tell(json)
    return true
  }
}

/** The host wants streams of some kind. */
export class Stream extends HttpContext<Reader> {}

function tell(value: JsonValue): void {
  switch (value.kind) {
    case JsonKind.Null:
      log.info('null')
      break
    case JsonKind.Boolean:
      log.info(value.bool() ? 'true' : 'false')
      break
    case JsonKind.Number:
      tellNumber(value)
      break
    case JsonKind.String:
      log.info('"')
      log.info(value.byteString())
      break
    case JsonKind.Array:
      log.info('[')
      for (let i = 0; i < value.length; i++) tell(value[i])
      log.info(']')
      break
    case JsonKind.Object:
      log.info('{')
      for (let i = 0; i < value.length; i++) {
        log.info(value[i].name)
        tell(value[i])
        if (value.get(value[i].name) != value[i]) log.critical('get finds another member')
      }
      log.info('}')
      break
    default:
      log.critical('a missing value')
  }
}

/** The bits of the double, as the host's trace wants text: sixteen hexadecimal digits. */
function tellNumber(value: JsonValue): void {
  const number = value.number()
  // Larger than any double is an error, which ends what can be told.
  if (value.hasError) return
  log.info(reinterpret<u64>(number).toString(16))
}
