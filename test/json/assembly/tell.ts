import { JsonKind, JsonValue, log } from '@meshscript/sdk'

/** Logs a value token by token; afterwards may release every array and object in it. */
export function tell(value: JsonValue, releases: bool): void {
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
      for (let i = 0; i < value.length; i++) tell(value[i], releases)
      log.info(']')
      break
    case JsonKind.Object:
      log.info('{')
      for (let i = 0; i < value.length; i++) {
        log.info(value[i].name)
        tell(value[i], releases)
        if (value.get(value[i].name) != value[i]) log.critical('get finds another member')
      }
      log.info('}')
      break
    default:
      log.critical('a missing value')
  }
  if (releases) value.release()
}

/** The bits of the double, as the host's trace wants text: sixteen hexadecimal digits. */
function tellNumber(value: JsonValue): void {
  const number = value.number()
  // Larger than any double is an error, which ends what can be told.
  if (value.hasError) return
  log.info(reinterpret<u64>(number).toString(16))
}
