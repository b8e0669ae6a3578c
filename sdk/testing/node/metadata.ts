/** Dynamic metadata as the attribute `metadata` shows it. */
import type { DynamicMetadata } from '../types.ts'
import { CelMessage, celFromJson } from './cel.ts'
import { encodeFields, encodeStruct } from './protobuf.ts'

/** `envoy.config.core.v3.Metadata`: as a whole its bytes, by `filter_metadata` its values. */
export function dynamicMetadata(namespaces: DynamicMetadata): CelMessage {
  const entries = Object.entries(namespaces).map(
    ([name, struct]) =>
      [
        1,
        encodeFields([
          [1, Buffer.from(name)],
          [2, encodeStruct(struct)],
        ]),
      ] as const,
  )
  return new CelMessage(encodeFields(entries), {
    filter_metadata: celFromJson(namespaces),
    typed_filter_metadata: celFromJson({}),
  })
}
