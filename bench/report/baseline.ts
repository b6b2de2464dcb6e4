// Which cases have become worse than they were recorded to be.
import type { Case } from './case.ts'

export type Recorded = Pick<Case, 'case' | 'ratio' | 'spread'>

/** @returns a line for each case whose ratio is worse than the recorded one by more than both spreads */
export function worseThan(recorded: readonly Recorded[], cases: readonly Case[]): string[] {
  return cases.flatMap((now) => {
    const before = recorded.find((one) => one.case === now.case)
    if (before === undefined) return []
    const slack = before.spread + now.spread
    const worse =
      now.better === 'more' ? now.ratio < before.ratio - slack : now.ratio > before.ratio + slack
    const ratios = `${now.ratio.toFixed(2)}x, recorded ${before.ratio.toFixed(2)}x`
    return worse ? [`${now.case} has become worse: ${ratios} (± ${slack.toFixed(2)})`] : []
  })
}
