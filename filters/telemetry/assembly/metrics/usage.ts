import { Series } from './series'

/** What a connection has done that is not counted yet. */
@final
export class Usage {
  /** Bytes to the client. */
  sent: u64 = 0
  /** Bytes from the client. */
  received: u64 = 0
  /** Null before the first report: labels stay as they were then. */
  series: Series | null = null
}
