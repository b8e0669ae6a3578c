import { BufferType } from './abi/enums'
import { Buffer } from './body'
import { JsonNode } from './json/node'
import { parseDocument } from './json/parser'
import { textOf } from './json/text'
import { JsonValue } from './json/value'
import { ByteString } from './memory/bytes'

/** The configuration of a plugin, as the host hands it over. Readable while `onConfigure` runs. */
// @ts-ignore: decorator
@unmanaged
@final
export class Configuration {
  /** In a bundle: a value of its configuration, whose address this is. */
  private get isPart(): bool {
    return changetype<usize>(this) > 1
  }

  /** The bytes as they are. */
  get bytes(): ByteString {
    if (isDefined(MESHSCRIPT_BUNDLE)) {
      if (this.isPart) return textOf(changetype<JsonNode>(this))
    }
    return Buffer.of(BufferType.PluginConfiguration).read()
  }

  /** The bytes as text. */
  get text(): string {
    return this.bytes.toString()
  }

  /**
   * The configuration as JSON; no configuration reads as `{}`. Call it once: each call reads the text anew.
   * An error in it is logged with its place, and makes the host refuse the configuration.
   */
  json(): JsonValue {
    if (isDefined(MESHSCRIPT_BUNDLE)) {
      if (this.isPart) return changetype<JsonValue>(this)
    }
    return JsonValue.of(parseDocument(this.bytes))
  }
}
