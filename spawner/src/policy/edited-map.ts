// A map that is copied at its first change and never before: how one decision stays cheap among many workspaces.

export interface EditedMap<K, V> {
  get(key: K): V | undefined
  has(key: K): boolean
  set(key: K, value: V): void
  delete(key: K): void
  /** In the order of insertion. Entries may be set or deleted meanwhile. */
  values(): Iterable<V>
  keys(): Iterable<K>
  entries(): Iterable<[K, V]>
  readonly size: number
  /** Keys that were set or deleted. */
  readonly touched: ReadonlySet<K>
  /** The map as it is now: the original one when nothing was changed. */
  result(): ReadonlyMap<K, V>
}

export function editMap<K, V>(original: ReadonlyMap<K, V>): EditedMap<K, V> {
  const touched = new Set<K>()
  let copy: Map<K, V> | undefined
  const current = () => copy ?? original
  const writable = (key: K) => {
    touched.add(key)
    return (copy ??= new Map(original))
  }
  return {
    get: (key) => current().get(key),
    has: (key) => current().has(key),
    set: (key, value) => void writable(key).set(key, value),
    delete: (key) => void (current().has(key) && writable(key).delete(key)),
    values: () => current().values(),
    keys: () => current().keys(),
    entries: () => current().entries(),
    get size() {
      return current().size
    },
    touched,
    result: current,
  }
}
