// When each container was last started, by the engine's clock: a late word of an earlier life is told apart by it.

export interface StartTimes {
  started(generation: string, wallMs: number): void
  /** Whether something that happened then belongs to a life before the present one. */
  isOutdated(generation: string, wallMs: number): boolean
  forget(generation: string): void
}

export function createStartTimes(): StartTimes {
  const times = new Map<string, number>()
  return {
    started: (generation, wallMs) => {
      times.set(generation, wallMs)
    },
    isOutdated: (generation, wallMs) => wallMs < (times.get(generation) ?? 0),
    forget: (generation) => {
      times.delete(generation)
    },
  }
}
