/** Positions in the sources for the backtraces that Envoy logs when a filter traps. */

import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { displayPath } from '../diagnostics.ts'

/** `  0:  0x2b93 - proxy_on_request_headers`, the offset being one of the module. */
const FRAME = /^(\s*\d+:\s+)0x([0-9a-f]+) - (.+)$/

export interface TrapModule {
  bytes: Uint8Array
  /** The file; undefined for a module that came without. */
  sourceMap: string | undefined
}

/** The message with places in sources instead of offsets, as far as one of the modules is sure to be meant. */
export function withPositions(message: string, modules: readonly TrapModule[], cwd: string): string {
  const lines = message.split('\n')
  const names = lines.flatMap((line) => FRAME.exec(line)?.[3] ?? [])
  if (!names.length) return message
  // Envoy does not say which filter it was: one that has all the functions.
  const fitting = modules.filter(
    ({ bytes }) => modules.length === 1 || names.every((name) => Buffer.from(bytes).includes(name)),
  )
  const map = fitting.length === 1 ? readMap(fitting[0]!.sourceMap) : undefined
  if (!map) return message
  return lines
    .map((line) => {
      const [, number = '', offset = '', name = ''] = FRAME.exec(line) ?? []
      const place = offset && position(map, parseInt(offset, 16), cwd)
      return place ? `${number}${name} (${place})` : line
    })
    .join('\n')
}

function position({ map, folder }: { map: TraceMap; folder: string }, offset: number, cwd: string): string {
  // A source map of a module has one line, and bytes as columns.
  const { source, line, column } = originalPositionFor(map, { line: 1, column: offset })
  if (source === null) return ''
  const file = source.startsWith('~lib/') ? source : displayPath(resolve(folder, source), cwd)
  return `${file}:${line}:${column + 1}`
}

function readMap(file: string | undefined): { map: TraceMap; folder: string } | undefined {
  if (file === undefined) return undefined
  try {
    return { map: new TraceMap(readFileSync(file, 'utf8')), folder: dirname(file) }
  } catch {
    // It costs only the positions.
    return undefined
  }
}
