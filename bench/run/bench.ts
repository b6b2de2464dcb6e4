import type { Case } from '../report/case.ts'
import type { BenchTools } from './tools.ts'

export interface Bench {
  readonly tools: BenchTools
  /** For files of the run; it goes with the run. */
  readonly folder: string
  readonly say: (line: string) => void
}

/** Measures cases that have their set-up in common. */
export type Group = (bench: Bench) => Promise<readonly Case[]>

/** What is measured runs on the first core; applications and load generators on the second. */
export const cores = { measured: '0', beside: '1' } as const
