/** Milliseconds that Envoy gets to handle a piece that leaves no trace outside, before the test goes on. */
export const SETTLE = 15

/** `250` or `'1.5s'`, `'200ms'`, `'1m'` in milliseconds. */
export function milliseconds(time: number | string): number {
  if (typeof time === 'number') return time
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(time.trim())
  if (!match) throw new Error(`not a duration: '${time}'; write milliseconds or e.g. '1.5s'`)
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h']
}
