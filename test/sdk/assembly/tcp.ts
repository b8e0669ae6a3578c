// Upper-cases nothing: marks what goes in each direction, and refuses a word.

import { Action, log, PeerType, StreamContext } from '@meshscript/sdk'

export class Marker extends StreamContext {
  onNewConnection(): Action {
    log.info('new connection')
    return Action.Continue
  }

  onDownstreamData(size: u32, endOfStream: bool): Action {
    if (!size) return Action.Continue
    if (this.downstreamData.read().startsWith('close')) {
      this.closeDownstream()
      return Action.Pause
    }
    // Waits for a whole line.
    if (!this.downstreamData.read().endsWith('\n')) return Action.Pause
    this.downstreamData.prepend('> ')
    return Action.Continue
  }

  onUpstreamData(size: u32, endOfStream: bool): Action {
    if (size) this.upstreamData.replace(this.upstreamData.read().concat('<'))
    return Action.Continue
  }

  onDownstreamClose(peer: PeerType): void {
    log.info(`downstream closed by ${peer}`)
  }
}
