// Named points in the loop, so that tests can stop it there. Nothing waits at them otherwise.
import type { Step } from '../policy/domain.ts'

export type Point = `${'before' | 'after'}-${Step['type'] | 'look'}`

/** What is awaited holds the step at that point. */
export type Reached = (point: Point) => Promise<void> | void

export const passPoints: Reached = () => undefined
