// The line of a small chart, one value for each minute of the last hour, the newest at its right end. Pure.

const minutes = 60
const width = 120
const height = 24

export interface Line {
  readonly viewBox: string
  /** For `<polyline>`. */
  readonly points: string
}

/** @param top the value at the upper edge; what is above it is drawn there */
export function lineOf(values: readonly number[], top: number): Line | undefined {
  if (values.length < 2) return undefined
  const shown = values.slice(-minutes)
  const step = width / (minutes - 1)
  const points = shown.map((value, index) => {
    const x = width - (shown.length - 1 - index) * step
    const y = height - 1 - Math.min(1, top === 0 ? 0 : Math.max(0, value) / top) * (height - 2)
    return `${round(x)},${round(y)}`
  })
  return { viewBox: `0 0 ${width} ${height}`, points: points.join(' ') }
}

const round = (value: number): number => Math.round(value * 10) / 10
