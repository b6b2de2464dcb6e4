// Asks every director what counted as use of a workspace, and joins what they report. Decides nothing.
import type { Command, Use, UseReport } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { SetTimer } from '@berth/shared/timer'

export interface UseQuestions {
  /** What the directors report within the deadline, the latest first. */
  readonly ask: (workspace: WorkspaceName) => Promise<readonly Use[]>
  readonly report: (report: UseReport) => void
}

const answerWithinMs = 2_000

export function createUseQuestions(deps: {
  /** @returns how many directors get it */
  send: (command: Command) => number
  setTimer: SetTimer
}): UseQuestions {
  const open = new Map<string, (report: UseReport) => void>()
  let asked = 0

  return {
    async ask(workspace) {
      const question = String((asked += 1))
      const reports = new Map<string, UseReport>()
      const { promise, resolve } = Promise.withResolvers<void>()
      let directors = Infinity
      open.set(question, (report) => {
        reports.set(report.director, report)
        if (reports.size >= directors) resolve()
      })
      directors = deps.send({ event: 'use', data: { workspace, question } })
      const deadline = deps.setTimer(directors === 0 ? 0 : answerWithinMs, resolve)
      try {
        await promise
      } finally {
        deadline[Symbol.dispose]()
        open.delete(question)
      }
      return join([...reports.values()].flatMap(({ uses }) => uses))
    },
    report: (report) => open.get(report.question)?.(report),
  }
}

/** What is alike at several directors is counted together. */
function join(uses: readonly Use[]): readonly Use[] {
  const joined = new Map<string, Use>()
  for (const use of uses) {
    const key = [use.what, use.method, use.path].join(' ')
    const known = joined.get(key)
    joined.set(key, known === undefined ? use : sumOf(known, use))
  }
  return [...joined.values()].sort((a, b) => a.lastAgoMs - b.lastAgoMs)
}

function sumOf(one: Use, other: Use): Use {
  return {
    ...one,
    count: one.count + other.count,
    fewestBytes: Math.min(one.fewestBytes, other.fewestBytes),
    mostBytes: Math.max(one.mostBytes, other.mostBytes),
    firstAgoMs: Math.max(one.firstAgoMs, other.firstAgoMs),
    lastAgoMs: Math.min(one.lastAgoMs, other.lastAgoMs),
  }
}
