/** Where a guest failed: from the engine's stack, through the module's source map where there is one. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import type { CompiledModule } from './module.ts'

export interface TrapFrame {
  /** Function name from the module's name section, else its index. */
  name: string
  /** Byte offset in the module. */
  offset: number
  /** Position in the sources. */
  source?: string
  line?: number
  column?: number
}

interface TrapSource {
  compiled: CompiledModule
  path?: string
}

const maps = new Map<string, TraceMap | undefined>()

export function describeTrap(error: Error, source: TrapSource): TrapFrame[] {
  const frames: TrapFrame[] = []
  for (const line of error.stack?.split('\n') ?? []) {
    const match = /at (?:(.*?) \()?wasm:\/\/wasm\/.*?wasm-function\[(\d+)\]:0x([0-9a-f]+)/.exec(line)
    if (!match) continue
    // V8 says `wasm://wasm/…` or `name.wasm` in front of the function's name.
    const name = match[1]?.replace(/^(?:async )?wasm:\/\/\S*\./, '') ?? `wasm-function[${match[2]}]`
    frames.push({ name, offset: parseInt(match[3]!, 16), ...position(source, parseInt(match[3]!, 16)) })
  }
  return frames
}

/** `name (file:line:column)`, as stack traces have it. */
export function formatFrame({ name, offset, source, line, column }: TrapFrame): string {
  const where = source === undefined ? `wasm offset 0x${offset.toString(16)}` : `${source}:${line}:${column}`
  return `    at ${name} (${where})`
}

function position(source: TrapSource, offset: number): Partial<TrapFrame> {
  const map = sourceMap(source)
  if (!map) return {}
  // A source map of a module has one line, and bytes as columns.
  const found = originalPositionFor(map, { line: 1, column: offset })
  if (found.source === null) return {}
  return { source: found.source, line: found.line, column: found.column + 1 }
}

function sourceMap({ compiled, path }: TrapSource): TraceMap | undefined {
  if (maps.has(compiled.hash)) return maps.get(compiled.hash)
  const map = readMap(compiled, path)
  maps.set(compiled.hash, map)
  return map
}

/** The file that the module names, or the one beside it with `.map` at the end. */
function readMap({ info, module }: CompiledModule, path: string | undefined): TraceMap | undefined {
  const url = info.sourceMapUrl
  const inline = /^data:application\/json;base64,(.*)$/s.exec(url ?? '')
  const candidates = [
    ...(url?.startsWith('file:') ? [fileURLToPath(url)] : []),
    ...(url && path && !/^\w+:/.test(url) ? [resolve(dirname(path), url)] : []),
    ...(path ? [`${path}.map`] : []),
  ]
  try {
    if (inline) return new TraceMap(Buffer.from(inline[1]!, 'base64').toString('utf8'))
    const file = candidates.find((candidate) => existsSync(candidate))
    return file && module ? new TraceMap(readFileSync(file, 'utf8')) : undefined
  } catch {
    // A damaged source map costs only the positions.
    return undefined
  }
}
