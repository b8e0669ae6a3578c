import { ByteString, utf8 } from '@meshscript/sdk'

/** Envoy's response flags as its access log has them, by their bits. */
const FLAGS: string[] = [
  'LH',
  'UH',
  'UT',
  'LR',
  'UR',
  'UF',
  'UC',
  'UO',
  'NR',
  'DI',
  'FI',
  'RL',
  'UAEX',
  'RLSE',
  'DC',
  'URX',
  'SI',
  'IH',
  'DPE',
  'UMSDR',
  'RFCF',
  'NFCF',
  'DT',
  'UPE',
  'NC',
  'OM',
  'DF',
  'DO',
  'DR',
  'UDO',
]

/** `UF,URX`; `-` where there is none. */
export function responseFlagsText(flags: i64): ByteString {
  let text = ByteString.empty
  for (let i = 0; i < FLAGS.length; i++) {
    if (!(flags & ((<i64>1) << i))) continue
    if (!text.isEmpty) text = text.concat(utf8(','))
    text = text.concat(FLAGS[i])
  }
  return text.isEmpty ? utf8('-') : text
}
