// What the doctor says about one thing. Pure.
import type { Gathered } from './facts.ts'

export interface Finding {
  readonly check: string
  /** A warning does not make the doctor fail: Berth works, and less well than it could. */
  readonly status: 'ok' | 'warning' | 'fault'
  readonly says: string
  /** What to do; absent if there is nothing to do. */
  readonly remedy?: string
}

export const ok = (check: string, says: string): Finding => ({ check, status: 'ok', says })

export const warning = (check: string, says: string, remedy: string): Finding => ({
  check,
  status: 'warning',
  says,
  remedy,
})

export const fault = (check: string, says: string, remedy: string): Finding => ({
  check,
  status: 'fault',
  says,
  remedy,
})

/** Judges a fact that is there. One that could not be gathered is a fault itself: nobody knows whether it is in order. */
export function judged<T>(
  check: string,
  gathered: Gathered<T>,
  judge: (value: T) => Finding | readonly Finding[],
): readonly Finding[] {
  if ('value' in gathered) return [judge(gathered.value)].flat()
  const remedy = 'remove the reason, and run the doctor again'
  return [fault(check, `could not be checked: ${gathered.failure}`, remedy)]
}

/** 3.4 GiB: as precise as a person needs it. */
export function about(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const at = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** at
  return `${value < 10 && at > 0 ? value.toFixed(1) : Math.round(value)} ${units[at] ?? ''}`
}
