/**
 * Starts what all tests of the real Istio share, before the first of them: API server, istiod and a registry.
 * scripts/istio.mjs builds what is missing.
 */

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildIstio } from '../../scripts/istio.mjs'
import { installEnvoy } from '../../sdk/testing/envoy/index.ts'
import { type RunningRegistry, startRegistry } from '../supply/registry.ts'
import { Cluster } from './cluster.ts'
import { AGENT_DATA, type Istiod, startIstiod } from './istio.ts'

export interface Shared {
  /** Has a folder for each proxy, and the logs of all programs. */
  folder: string
  binaries: string
  envoy: string
  kubeconfig: string
  /** Address of istiod. */
  istiod: string
  /** `127.0.0.1:PORT` */
  registry: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    istio: Shared
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = await buildIstio()
  const found = await installEnvoy()
  if (found.kind !== 'process') throw new Error('pilot-agent needs an executable of Envoy')
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-istio-'))
  mkdirSync(AGENT_DATA, { recursive: true })
  const fetched = new Set(readdirSync(AGENT_DATA))
  let registry: RunningRegistry | undefined
  let cluster: Cluster | undefined
  let istiod: Istiod | undefined
  const stop = async (): Promise<void> => {
    await istiod?.stop()
    await cluster?.stop()
    await registry?.stop()
    for (const name of readdirSync(AGENT_DATA))
      if (!fetched.has(name)) rmSync(join(AGENT_DATA, name), { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    registry = await startRegistry()
    cluster = await Cluster.start(binaries, folder)
    istiod = await startIstiod(cluster, binaries, folder)
  } catch (error) {
    await stop()
    throw error
  }
  const { kubeconfig } = cluster
  const shared = { folder, binaries, envoy: found.path, kubeconfig, istiod: istiod.address, registry: registry.host }
  project.provide('istio', shared)
  return stop
}
