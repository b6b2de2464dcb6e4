// One compared figure: ours beside a reference that was measured in turn with it, in the same run.

export interface Case {
  readonly case: string
  readonly unit: string
  /** Medians of the rounds. */
  readonly ours: number
  readonly reference: number
  /** The median of the rounds' own ratios, ours to the reference. */
  readonly ratio: number
  /** Half the distance between the smallest and the largest ratio of a round. */
  readonly spread: number
  readonly target: string
  readonly holds: boolean
  readonly better: 'more' | 'less'
}

export interface Round {
  readonly ours: number
  readonly reference: number
}

export type Target =
  | { readonly ratioAtLeast: number }
  | { readonly ratioAtMost: number }
  /** In the unit of the case: ours may be that much more than the reference. */
  | { readonly moreByAtMost: number }

/** @throws RangeError without rounds */
export function caseOf(name: string, unit: string, rounds: readonly Round[], target: Target): Case {
  const ratios = rounds.map(({ ours, reference }) => ours / reference)
  const ours = median(rounds.map((round) => round.ours))
  const reference = median(rounds.map((round) => round.reference))
  const ratio = median(ratios)
  const spread = (Math.max(...ratios) - Math.min(...ratios)) / 2
  const judged = judge(target, {
    ratio,
    unit,
    more: median(rounds.map((r) => r.ours - r.reference)),
  })
  return { case: name, unit, ours, reference, ratio, spread, ...judged }
}

function judge(
  target: Target,
  { ratio, unit, more }: { readonly ratio: number; readonly unit: string; readonly more: number },
): Pick<Case, 'target' | 'holds' | 'better'> {
  if ('ratioAtLeast' in target) {
    const { ratioAtLeast: least } = target
    return { target: `≥ ${least}x`, holds: ratio >= least, better: 'more' }
  }
  if ('ratioAtMost' in target) {
    const { ratioAtMost: most } = target
    return { target: `≤ ${most}x`, holds: ratio <= most, better: 'less' }
  }
  const { moreByAtMost: most } = target
  return { target: `≤ reference + ${most} ${unit}`, holds: more <= most, better: 'less' }
}

/** @throws RangeError for an empty list */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Between the two nearest values. @throws RangeError for an empty list */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (below === undefined || above === undefined) throw new RangeError('there are no values')
  return below + (above - below) * (at - Math.floor(at))
}
