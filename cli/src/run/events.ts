/** What `meshscript run` tells while it runs: `--json` prints these one by one, the terminal and the page show them. */

import type { Json } from '@meshscript/sdk/testing/envoy'

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'critical'

/** Header lines in wire order. */
export type Headers = [name: string, value: string][]

/** A request as it was before the first filter, between the filters, and behind the last one; so the response, in the same order. */
export interface HeaderStages {
  request: Headers[]
  /** The client's side first. Missing where no response passed. */
  response: (Headers | undefined)[]
}

export interface RequestEvent {
  event: 'request'
  /** Counts from 1. */
  id: number
  /** Milliseconds since 1970. */
  time: number
  method: string
  path: string
  authority: string
  protocol: string
  status: number
  /** Envoy's response flags; empty when there are none. */
  flags: string
  /** Envoy's response code details. */
  details: string
  /** Who answered. */
  answeredBy: 'upstream' | 'filter' | 'envoy'
  /** The filter that answered, where it is known. */
  filter?: string
  /** What an authorization filter decided. */
  verdict?: string
  policy?: string
  milliseconds: number
  /** Milliseconds until the request went to the upstream, until its response began, until that went to the client. */
  timing?: { toUpstream?: number; upstream?: number; toClient?: number }
  bytesIn: number
  bytesOut: number
  /** With `--open`. */
  headers?: HeaderStages
}

/** A TCP connection that has ended. */
export interface ConnectionEvent {
  event: 'connection'
  id: number
  time: number
  client: string
  milliseconds: number
  bytesIn: number
  bytesOut: number
  flags: string
  details: string
}

export interface LogEvent {
  event: 'log'
  time: number
  level: Level
  /** Empty where Envoy does not tell which one of several filters it was. */
  filter: string
  message: string
}

/** Envoy's own log. */
export interface EnvoyEvent {
  event: 'envoy'
  time: number
  level: Level
  component: string
  message: string
}

export interface FilterInfo {
  name: string
  /** What was named on the command line. */
  path: string
  size: number
  /** File of the configuration. */
  configuration?: string
  /** Its text. */
  configurationText?: string
  /** How often Envoy took the filter or its configuration, the start included. */
  generation: number
  /** The last change has not been taken: an older one runs. */
  failure?: string
}

export interface ReadyEvent {
  event: 'ready'
  url: string
  admin: string
  upstream: string
  page?: string
  try: string
  filters: FilterInfo[]
}

export interface ReloadEvent {
  event: 'reload'
  time: number
  filter: string
  /** What changed. */
  cause: 'module' | 'configuration' | 'both'
  ok: boolean
  /** From the change that was noticed to Envoy's answer. */
  milliseconds: number
  /** Why it failed. */
  code?: string
  message?: string
  info: FilterInfo
}

/** A build that failed: nothing was given to Envoy. */
export interface BuildFailedEvent {
  event: 'build-failed'
  time: number
  filter: string
  code?: string
  message: string
  diagnostics: Json[]
  info: FilterInfo
}

export type RunEvent =
  | RequestEvent
  | ConnectionEvent
  | LogEvent
  | EnvoyEvent
  | ReadyEvent
  | ReloadEvent
  | BuildFailedEvent
  | { event: 'progress'; message: string }
  | { event: 'stopped' }

export type Listener = (event: RunEvent) => void
