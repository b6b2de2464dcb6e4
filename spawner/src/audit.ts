// What administrators did, and who tried to: one log line for each entry. The history stores the same entries.
import { bounded, type Log } from '@berth/shared/log'

export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  /** The user name of the administrator, or of the person who is none. */
  readonly administrator: string
  readonly act: AuditedAct
  /** The name of the workspace or the template; of a refused attempt, the path that was asked for. */
  readonly target: string
  /** What the administrator gave as the reason. */
  readonly why: string
  /** `refused`: the person is not an administrator, or it was not possible. */
  readonly outcome: 'done' | 'refused'
  readonly requestId?: string | undefined
}

export type AuditedAct =
  /** Opened the administrator's page, without being an administrator. */
  | 'open'
  | 'stop'
  | 'restart'
  | 'remove'
  | 'release'
  | 'close-template'
  | 'open-template'
  /** Admits nobody new, before maintenance; or people again. */
  | 'drain'
  | 'admit'
  /** Shows a message on all pages, or no longer. */
  | 'announce'
  | 'silence'
  /** Opened a person's workspace as that person, or ended that. */
  | 'open-as'
  | 'end-open-as'
  /** The SSH server of a workspace may show another key. */
  | 'forget-host-key'

export type Audit = (entry: AuditEntry) => void

/** @param keep stores the entries, besides the log */
export function createAudit(log: Log, keep?: Audit): Audit {
  return (entry) => {
    const { administrator, act, target, why, outcome, requestId } = entry
    const line = {
      user: bounded(administrator),
      act,
      target: bounded(target),
      ...(why === '' ? {} : { why: bounded(why) }),
      ...(requestId === undefined ? {} : { requestId }),
    }
    if (outcome === 'refused') log.warn(line, 'admin refused')
    else log.info(line, 'admin acted')
    keep?.(entry)
  }
}
