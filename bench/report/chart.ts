// A line chart as SVG.
import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'

export interface Chart {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly series: readonly {
    readonly name: string
    readonly points: readonly { readonly x: number; readonly y: number }[]
  }[]
}

const [width, height] = [720, 360]
const margin = { top: 48, right: 24, bottom: 48, left: 64 }
const colours = ['#2f6fde', '#d9822b', '#2e8b57', '#8a4fbf']

export function chartOf({ title, x, y, series }: Chart): string {
  const all = series.flatMap(({ points }) => points)
  const across = scaleLinear(
    [0, Math.max(...all.map((point) => point.x))],
    [margin.left, width - margin.right],
  ).nice()
  const up = scaleLinear(
    [0, Math.max(...all.map((point) => point.y))],
    [height - margin.bottom, margin.top],
  ).nice()
  const path = line<{ x: number; y: number }>()
    .x((point) => across(point.x))
    .y((point) => up(point.y))
  const [left, right] = across.range() as [number, number]
  const [bottom] = up.range() as [number]
  const grid = up
    .ticks(5)
    .flatMap((tick) => [
      `<line x1="${left}" x2="${right}" y1="${up(tick)}" y2="${up(tick)}" stroke="#8888" stroke-width="0.5"/>`,
      `<text x="${left - 8}" y="${up(tick) + 4}" text-anchor="end">${tick}</text>`,
    ])
  const marks = across
    .ticks(6)
    .map(
      (tick) => `<text x="${across(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`,
    )
  const lines = series.flatMap(({ name, points }, index) => {
    const colour = colours[index % colours.length]
    return [
      `<path d="${path([...points])}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points.map((p) => `<circle cx="${across(p.x)}" cy="${up(p.y)}" r="3" fill="${colour}"/>`),
      `<text x="${right}" y="${margin.top + 12 + index * 18}" text-anchor="end" style="fill:${colour}">${name}</text>`,
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${title}">`,
    // A page may be dark while the browser says light, and the other way round.
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    '<style>text { fill: #222 }</style>',
    `<text x="${left}" y="22" font-size="15" font-weight="600">${title}</text>`,
    `<text x="${left}" y="40">${y}</text>`,
    ...grid,
    ...marks,
    `<text x="${(left + right) / 2}" y="${height - 10}" text-anchor="middle">${x}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}
