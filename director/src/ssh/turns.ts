// Does at most so much at once for each name; the rest waits for its turn, in order.

export interface Turns {
  run<T>(name: string, work: () => Promise<T>): Promise<T>
}

export function createTurns(most: number): Turns {
  const lines = new Map<string, { taken: number; readonly waiting: (() => void)[] }>()
  return {
    async run(name, work) {
      const line = lines.get(name) ?? { taken: 0, waiting: [] }
      lines.set(name, line)
      if (line.taken < most) line.taken += 1
      else await new Promise<void>((resolve) => line.waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = line.waiting.shift()
        if (next === undefined) line.taken -= 1
        else next()
        if (line.taken === 0) lines.delete(name)
      }
    },
  }
}
