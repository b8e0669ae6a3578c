// The exports that only Envoy calls.

import { leave } from './bundle_hooks'
import { DnsResult } from './dns'
import { enterAndCollect } from './enter'
import { findRoot } from './registry'
import { Buffer } from './body'
import { BufferType } from './abi/enums'

export function envoy_on_resolve_dns(rootId: u32, token: u32, resultSize: u32): void {
  enterAndCollect('onResolveDns')
  const root = findRoot(rootId)
  if (root) root.onResolveDns(token, DnsResult.read())
  leave()
}

export function envoy_on_stats_update(rootId: u32, resultSize: u32): void {
  enterAndCollect('onStatsUpdate')
  const root = findRoot(rootId)
  if (root) root.onStatsUpdate(Buffer.of(BufferType.ForeignFunctionArguments))
  leave()
}
