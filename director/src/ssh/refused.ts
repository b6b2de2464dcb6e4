// Why a person gets no session or connection, in words for them. Pure.
import { problemSchema } from '@berth/shared/contract'
import { problemTitle, type Problem, type ProblemCode } from '@berth/shared/problems'
import { plainLine } from './progress-line.ts'

export class Refused extends Error {
  readonly code: ProblemCode
  /** The last lines of a container that failed. */
  readonly log: readonly string[]

  constructor(code: ProblemCode, detail: string, log: readonly string[] = []) {
    super(detail)
    this.code = code
    this.log = log
  }
}

export const refusedBy = ({
  code,
  detail,
  log,
}: Pick<Problem, 'code' | 'detail' | 'log'>): Refused => new Refused(code, detail, log)

/** @throws for a payload that is no problem */
export const refusedIn = (payload: Buffer): Refused =>
  refusedBy(problemSchema.parse(JSON.parse(payload.toString())) as Problem)

/** What a person reads: one line that says why, then the last lines of the log. */
export function linesOf({ code, message, log }: Refused): readonly string[] {
  return [
    `berth: ${plainLine(`${problemTitle(code)}. ${message}`)}`,
    ...log.map((line) => `berth: | ${plainLine(line)}`),
  ]
}
