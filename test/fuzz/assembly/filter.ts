// All that Envoy has, for a host that has it too.

import { DnsResult, resolveDns } from '@meshscript/sdk'
import { consume, useBytes } from './bytes'
import { FuzzConnection, FuzzRoot, FuzzStream } from './contexts'
import { Input } from './input'

export class Root extends FuzzRoot {
  onStart(): bool {
    this.metrics.fill()
    return super.onStart()
  }

  onTick(): void {
    consume(resolveDns(Input.read().text()))
    super.onTick()
  }

  onResolveDns(token: u32, result: DnsResult): void {
    const input = Input.read()
    for (let i = 0; i < min(result.length, 16); i++) {
      useBytes(input, result.address(i))
      consume(result.ttl(i))
    }
    useBytes(input, result.address(input.integer()))
    consume(result.ttl(input.integer()))
  }
}

export class Stream extends FuzzStream {}

export class Connection extends FuzzConnection {}
