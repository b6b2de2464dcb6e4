// When a terminal says that the workspace's lifetime is about to end, and how. Pure.
const minute = 60_000
const warnings = [15 * minute, 5 * minute, minute]

export interface Warning {
  readonly inMs: number
  readonly text: string
}

/** @param leftMs until the end. @returns the next warning; `undefined`: there is none any more */
export function nextWarning(leftMs: number): Warning | undefined {
  const before = warnings.find((each) => each < leftMs)
  if (before === undefined) return undefined
  const minutes = before / minute
  const when = minutes === 1 ? '1 minute' : `${minutes} minutes`
  return { inMs: leftMs - before, text: `this workspace ends in ${when}: save your work.` }
}
