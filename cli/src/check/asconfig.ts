/** Finds options of the compiler that `meshscript build` overrides, or whose modules no proxy runs. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Project } from '../build/project.ts'
import { failure, type Finding, success, warning } from './types.ts'

type Options = Record<string, unknown>

/** What no proxy runs, and why. */
const refused: Record<string, string> = {
  importMemory: 'proxies offer no memory',
  noExportMemory: 'proxies read and write the memory that a module exports',
  sharedMemory: 'proxies have no shared memory',
  importTable: 'proxies offer no table',
}
const refusedFeatures: Record<string, string> = {
  threads: 'proxies have no threads',
  memory64: 'proxies use addresses of 32 bits',
  stringref: "Envoy's V8 does not know it",
}
/** What `meshscript build` decides by itself: a value here has no effect. */
const overridden = ['exportStart', 'runtime', 'sourceMap', 'debug', 'outFile', 'textFile', 'baseDir'] as const
const own: Record<string, unknown> = { runtime: 'minimal', exportStart: '_initialize' }

export function checkCompilerOptions({ baseDir, asconfig }: Pick<Project, 'baseDir' | 'asconfig'>): Finding {
  if (asconfig !== join(baseDir, 'asconfig.json')) return success("the compiler's options are the SDK's")
  let config: { options?: Options; targets?: Record<string, Options> }
  try {
    config = JSON.parse(readFileSync(asconfig, 'utf8')) as typeof config
  } catch (error) {
    return failure(`${asconfig} is not valid JSON: ${(error as Error).message}`)
  }
  // Other targets are not built.
  const sections = [config.options, config.targets?.['release'], config.targets?.['debug']]
  const bad = new Set<string>()
  const idle = new Set<string>()
  for (const section of sections)
    for (const [name, value] of Object.entries(section ?? {})) judge(name, value, bad, idle)
  if (bad.size) return failure(`asconfig.json: ${[...bad].join('; ')}`, 'remove these options')
  if (idle.size) {
    return warning(`asconfig.json: ${[...idle].join(', ')}: meshscript build decides this`, 'remove what has no effect')
  }
  return success('Envoy runs what the options in asconfig.json make')
}

function judge(name: string, value: unknown, bad: Set<string>, idle: Set<string>): void {
  if (value === false || value === null || value === undefined) return
  if (refused[name] !== undefined) bad.add(`${name}: ${refused[name]}`)
  if (name === 'enable') {
    for (const feature of [value].flat().map(String)) {
      if (refusedFeatures[feature] !== undefined) bad.add(`enable ${feature}: ${refusedFeatures[feature]}`)
    }
  }
  if ((overridden as readonly string[]).includes(name) && value !== own[name]) idle.add(name)
}
