// What the page shows of the memory and the CPU time that workspaces use. Pure.
import type { UsageHistory, UsageNow } from '../../loop/usage.ts'
import { lineOf, type Line } from './chart.ts'
import { bytesText } from './overview.ts'

export interface ShownUsage {
  readonly memory: ShownValue
  readonly cpu: ShownValue
}

export interface ShownValue {
  readonly name: string
  readonly text: string
  readonly line?: Line
  /** What the line shows, for those who do not see it. */
  readonly says?: string
}

export function showUsage({ now, minutes }: UsageHistory): ShownUsage {
  return {
    memory: valueOf('Memory', now, minutes, ({ memoryBytes }) => memoryBytes, bytesText),
    cpu: valueOf('CPU', now, minutes, ({ cpuPercent }) => cpuPercent, cpuText),
  }
}

function valueOf(
  name: string,
  now: UsageNow,
  minutes: readonly UsageNow[],
  pick: (one: UsageNow) => number | undefined,
  text: (value: number) => string,
): ShownValue {
  const value = pick(now)
  const values = minutes.map((one) => pick(one) ?? 0)
  const most = Math.max(0, ...values)
  const line = lineOf(values, most)
  return {
    name,
    text: value === undefined ? '–' : text(value),
    ...(line === undefined
      ? {}
      : {
          line,
          says: `${name} of the last hour: at most ${text(most)}, at least ${text(Math.min(...values))}`,
        }),
  }
}

/** In per cent of one processor. */
export function cpuText(percent: number): string {
  return `${percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`
}
