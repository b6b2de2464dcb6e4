// From numbers to the shapes of a chart: scales and paths in the units of its drawing. Pure; the view writes the SVG.
import { scaleBand, scaleLinear } from 'd3-scale'
import { area, curveStep, line, stack } from 'd3-shape'

export interface Series {
  readonly name: string
  /** One for each span; absent: there is no number. */
  readonly values: readonly (number | undefined)[]
  /** `stack`: bars on top of each other. */
  readonly shape: 'stack' | 'line' | 'dashed' | 'area' | 'limit'
  /** Number of its colour. */
  readonly colour: number
}

export interface ChartInput {
  readonly labels: readonly string[]
  /** Which of the labels the axis shows. */
  readonly named: readonly boolean[]
  readonly series: readonly Series[]
  readonly text: (value: number) => string
  /** Between two lines of the axis there is at least that much. */
  readonly leastStep?: number
}

export interface Drawing {
  readonly width: number
  readonly height: number
  readonly plot: { readonly left: number; readonly right: number; readonly bottom: number }
  readonly marks: readonly {
    readonly shape: Series['shape']
    readonly colour: number
    readonly path: string
    /** Of a line: its single points, which a path would not show. */
    readonly dots: readonly { readonly x: number; readonly y: number }[]
  }[]
  readonly rows: readonly { readonly y: number; readonly label: string }[]
  readonly columns: readonly { readonly x: number; readonly label: string }[]
}

const width = 720
const height = 240
const margin = { top: 12, right: 12, bottom: 28, left: 76 }

export function drawChart(input: ChartInput): Drawing {
  const { labels, named, series, text, leastStep = 0 } = input
  const stacked = series.filter(({ shape }) => shape === 'stack')
  const sums = labels.map((_, at) =>
    stacked.reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
  )
  const most = Math.max(
    leastStep * 2,
    ...sums,
    ...series.flatMap(({ values }) => values.filter((value) => value !== undefined)),
  )
  const y = scaleLinear([0, most || 1], [height - margin.bottom, margin.top]).nice(4)
  const x = scaleBand(
    labels.map((_, at) => at),
    [margin.left, width - margin.right],
  ).padding(0.15)
  const band = x.bandwidth()
  const middle = (at: number) => (x(at) ?? 0) + band / 2

  const marks = series.map((one) => {
    const { shape, colour, values } = one
    const points = values.map((value, at) => ({ value, at }))
    const has = ({ value }: { value: number | undefined }) => value !== undefined
    const top = ({ value }: { value: number | undefined }) => y(value ?? 0)
    const place = ({ at }: { at: number }) => middle(at)
    if (shape === 'stack') return { shape, colour, path: barsOf(stacked.indexOf(one)), dots: [] }
    if (shape === 'area') {
      const draw = area<(typeof points)[number]>(place, y(0), top).curve(curveStep).defined(has)
      return { shape, colour, path: draw(points) ?? '', dots: [] }
    }
    const draw = line<(typeof points)[number]>(place, top).defined(has)
    const path = (shape === 'limit' ? draw.curve(curveStep) : draw)(points) ?? ''
    const dots = points
      .filter(has)
      .map((point) => ({ x: rounded(place(point)), y: rounded(top(point)) }))
    return { shape, colour, path, dots: shape === 'limit' ? [] : dots }
  })

  function barsOf(index: number): string {
    const keys = stacked.map((_, at) => at)
    const layers = stack<unknown, number, number>()
      .keys(keys)
      .value((at, key) => stacked[key]?.values[at] ?? 0)(labels.map((_, at) => at))
    return (layers[index] ?? [])
      .map(([low, high], at) =>
        high > low
          ? `M${rounded(x(at) ?? 0)},${rounded(y(high))}h${rounded(band)}V${rounded(y(low))}h${rounded(-band)}Z`
          : '',
      )
      .join('')
  }

  return {
    width,
    height,
    plot: { left: margin.left, right: width - margin.right, bottom: height - margin.bottom },
    marks,
    rows: y
      .ticks(4)
      .filter((value) => leastStep === 0 || value % leastStep === 0)
      .map((value) => ({ y: rounded(y(value)), label: text(value) })),
    columns: labels.flatMap((label, at) =>
      named[at] === true ? [{ x: rounded(middle(at)), label }] : [],
    ),
  }
}

const rounded = (value: number): number => Math.round(value * 10) / 10
