/** Kubernetes' quantities: `500m`, `1`, `1.5`, `2k`, `1Ki`, `1e3`. */

const suffixes: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** Its value in whole units; undefined if it is none. */
export function parseQuantity(text: string): number | undefined {
  const [, number, suffix, exponent] =
    /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (number === undefined) return undefined
  // Read as one number, so that `0.1e3` is no more and no less than 100.
  if (exponent !== undefined) return Number(`${number}e${exponent}`)
  const factor = suffixes[suffix ?? '']!
  return factor < 1 ? Number(number) / Math.round(1 / factor) : Number(number) * factor
}
