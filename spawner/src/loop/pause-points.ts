// Named points in the loop, so that tests can pause or crash it there. Nothing waits at them otherwise.
import type { EngineStep } from '../policy/domain.ts'

export type PausePoint = `${'before' | 'after'}-${EngineStep['type'] | 'inventory'}`

/** The loop waits at the point for what this returns. */
export type Reached = (point: PausePoint) => Promise<void> | void

export const pauseNowhere: Reached = () => undefined
