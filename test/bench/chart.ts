/** A line chart as SVG, for the documentation. */

export interface Chart {
  title: string
  /** What the axes are. */
  x: string
  y: string
  /** Of both axes. */
  scale: 'linear' | 'log'
  series: { name: string; points: [x: number, y: number][] }[]
}

const WIDTH = 720
const HEIGHT = 400
const LEFT = 70
const RIGHT = 130
const TOP = 40
const BOTTOM = 50
// Okabe and Ito's colours, which those who see few colours can tell apart; they stand out on white and on black.
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9']

export function lineChart({ title, x, y, scale, series }: Chart): string {
  const all = series.flatMap(({ points }) => points)
  const horizontal = axis(
    all.map(([value]) => value),
    scale,
    LEFT,
    WIDTH - RIGHT,
  )
  const vertical = axis(
    all.map(([, value]) => value),
    scale,
    HEIGHT - BOTTOM,
    TOP,
  )
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#777">`,
    text(WIDTH / 2, 20, title, 'middle', 'font-size="15"'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x),
    text(LEFT - 10, TOP - 12, y, 'end'),
  ]
  for (const tick of vertical.ticks) {
    const at = vertical.place(tick)
    parts.push(`<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#777" stroke-opacity=".25"/>`)
    parts.push(text(LEFT - 8, at + 4, tick.toLocaleString('en'), 'end'))
  }
  for (const tick of horizontal.ticks) {
    parts.push(text(horizontal.place(tick), HEIGHT - BOTTOM + 18, tick.toLocaleString('en')))
  }
  let lastLabel = -Infinity
  const byEnd = series
    .map((each, i) => ({ ...each, colour: COLOURS[i % COLOURS.length]! }))
    .sort((a, b) => b.points.at(-1)[1] - a.points.at(-1)[1])
  for (const { name, points, colour } of byEnd) {
    const places = points.map(([a, b]) => [horizontal.place(a), vertical.place(b)] as const)
    parts.push(
      `<path d="M${places.map((place) => place.join(' ')).join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    )
    for (const [a, b] of places) parts.push(`<circle cx="${a}" cy="${b}" r="3" fill="${colour}"/>`)
    const [endX, endY] = places.at(-1)
    // Labels of lines that end close together go below each other.
    lastLabel = Math.max(endY + 4, lastLabel + 15)
    parts.push(text(endX + 10, lastLabel, name, 'start', `fill="${colour}"`))
  }
  return `${parts.join('\n')}\n</svg>\n`
}

/** Places of values between two edges, with the values that get a mark. */
function axis(values: number[], scale: Chart['scale'], from: number, to: number) {
  const isLog = scale === 'log'
  const largest = Math.max(...values)
  if (isLog && Math.min(...values) <= 0) throw new Error('a logarithmic chart shows positive values only')
  const low = isLog ? Math.floor(Math.log10(Math.min(...values))) : 0
  const high = isLog ? Math.ceil(Math.log10(largest)) : niceStep(largest) * Math.ceil(largest / niceStep(largest))
  const ticks: number[] = []
  if (isLog) for (let power = low; power <= high; power++) ticks.push(Number(`1e${power}`))
  else for (let value = 0; value <= high; value += niceStep(largest)) ticks.push(value)
  const place = (value: number): number => {
    const part = ((isLog ? Math.log10(value) : value) - low) / (high - low)
    return Math.round((from + part * (to - from)) * 10) / 10
  }
  return { ticks, place }
}

/** A round step that gives four to ten marks. */
function niceStep(largest: number): number {
  const power = 10 ** Math.floor(Math.log10(largest))
  return [0.1, 0.2, 0.25, 0.5, 1].map((part) => part * power).find((step) => largest / step <= 8)!
}

function text(x: number, y: number, content: string, anchor = 'middle', more = ''): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;')
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" ${more}>${escaped}</text>`
}
