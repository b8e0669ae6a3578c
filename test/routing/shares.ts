/** Whether counts of requests are as their weights say. */

/**
 * The chi-square statistic of counts against the parts that they should have. With one degree of freedom (two counts) one run in ten
 * million is beyond `CHI_SQUARE_LIMIT` by chance.
 */
export function chiSquare(counts: Readonly<Record<string, number>>, weights: Readonly<Record<string, number>>): number {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const whole = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  return Object.entries(weights).reduce((sum, [name, weight]) => {
    const expected = (total * weight) / whole
    return sum + ((counts[name] ?? 0) - expected) ** 2 / expected
  }, 0)
}

export const CHI_SQUARE_LIMIT = 28.4
