import { BufferType } from './abi/enums'
import { Buffer } from './body'
import { ByteString } from './memory/bytes'

/** The configuration of a plugin, as the host hands it over. Readable while `onConfigure` runs. */
// @ts-ignore: decorator
@unmanaged
@final
export class Configuration {
  /** The bytes as they are. */
  get bytes(): ByteString {
    return Buffer.of(BufferType.PluginConfiguration).read()
  }

  /** The bytes as text. */
  get text(): string {
    return this.bytes.toString()
  }
}
