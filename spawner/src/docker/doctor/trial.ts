// What the trials of the doctor share. A trial is a container or a network that exists for a few seconds.
import { cleanLines } from '../containers/log-frames.ts'
import type { EngineClient } from '../client/engine-client.ts'

/** The value of `berth.role` of everything that the doctor makes. */
export const doctorRole = 'doctor'

export interface TrialDeps extends EngineClient {
  readonly instance: string
  /** An image of Berth, which has Node and the tools of GNU. */
  readonly image: string
}

/** The end of what a trial printed, for people. */
export function words(output: string): string {
  const said = cleanLines(output, { lines: 3, lineLength: 200 }).join('; ')
  return said === '' ? 'the trial ended without a word' : said
}
