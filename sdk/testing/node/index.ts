/**
 * The Node host: runs proxy-wasm modules in this process, as a model of Envoy 1.40's Wasm host.
 *
 * @module
 */
export { createNodeHost, type NodeClientStream, NodeHost } from './host.ts'
export { type LeakReport } from './leak.ts'
export { compileModule, type ModuleInfo } from './module.ts'
export { type HostFailure, type NodeHostOptions, type NodeRequestInit, type StreamState } from './options.ts'
export { parsePairs, serializePairs } from './pairs.ts'
export { formatFrame, type TrapFrame } from './trap.ts'
