// What the loop needs of a store: what was given later and labels cannot tell, kept across restarts.
import type { RecordChanges, Recorded } from '../policy/domain.ts'

/** Synchronous, because no step may be carried out before what it depends on is saved. */
export interface Store extends Disposable {
  /** All there is, once at start. */
  load(): Recorded
  /** All of it or, when it throws, nothing. */
  save(changes: RecordChanges): void
  /** Writes a copy that `load` reads the same from; what is saved meanwhile is in it or not, never half. */
  backup(path: string): Promise<void>
}
