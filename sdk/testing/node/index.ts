/**
 * The Node host: runs proxy-wasm modules in this process, as a model of Envoy 1.40's Wasm host.
 *
 * @module
 */
export {
  createNodeHost,
  type HostFailure,
  NodeHost,
  type NodeClientStream,
  type NodeHostOptions,
  type NodeRequestInit,
  type StreamState,
} from './host.ts'
export { type LeakReport } from './leak.ts'
export { parsePairs, serializePairs } from './pairs.ts'
export { compileModule, type ModuleInfo } from './module.ts'
export { formatFrame, type TrapFrame } from './trap.ts'
