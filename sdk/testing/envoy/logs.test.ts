import { expect, test } from 'vitest'
import { EnvoyLog, type WasmLogEntry } from './logs.ts'
import { failureMessage } from './process.ts'

test('filters and Envoy are kept apart, in pieces as they come', () => {
  const log = new EnvoyLog()
  const wasm: WasmLogEntry[] = []
  log.onWasm = (entry) => wasm.push(entry)
  log.push('warning|wasm|1.5|wasm log name root: a\\n\\"b\\" \\303')
  log.push('\\251 \\\\n\ninfo|main|2.5|starting\nplain text\n')
  expect(wasm).toEqual([{ level: 'warn', prefix: ' name root', message: 'a\n"b" é \\n', time: 1500 }])
  expect(log.entries).toEqual([
    { level: 'info', logger: 'main', message: 'starting', time: 2500 },
    { level: 'error', logger: 'stderr', message: 'plain text' },
  ])
})

test('since gives what came after a mark, also when old entries are dropped', () => {
  const log = new EnvoyLog()
  for (let i = 0; i < 5000; i++) log.push(`info|main|1.0|${i}\n`)
  const mark = log.mark()
  log.push('info|main|1.0|new\n')
  expect(log.since(mark).map(({ message }) => message)).toEqual(['new'])
  expect(log.entries.length).toBeLessThan(5000)
})

test('the reason of a failure is Envoy’s last word and what its Wasm host said', () => {
  const log = new EnvoyLog()
  log.push('error|wasm|1.0|Wasm VM failed Failed to load Wasm module due to a missing import: env.x\n')
  log.push('critical|wasm|1.0|Plugin f failed to load\n')
  log.push('warning|config|1.0|Filesystem config update rejected: Unable to create  Wasm plugin f\n')
  expect(failureMessage(log)).toBe(
    'Unable to create Wasm plugin f; Failed to load Wasm module due to a missing import: env.x',
  )
})
