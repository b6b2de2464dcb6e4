// What the loop needs of a store: the records that labels cannot hold, kept across restarts.
import type { RecordChanges, Recorded } from '../policy/domain.ts'

/** Synchronous, because no step may be carried out before the records that it depends on are saved. */
export interface Store extends Disposable {
  /** Reads all records, once at start. */
  load(): Recorded
  /** Saves all changes or, when it throws, none. */
  save(changes: RecordChanges): void
  /** What administrators have ordered for everybody, as text by name. */
  loadOrders(): ReadonlyMap<string, string>
  /** Replaces all orders, or none when it throws. */
  saveOrders(orders: ReadonlyMap<string, string>): void
  /** Writes a copy from which `load` reads the same. A change that is saved meanwhile is in it completely or not at all. */
  backup(path: string): Promise<void>
}
