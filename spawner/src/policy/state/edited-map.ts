// A map while a decision is made: the former map stays as it is, and is copied when the first entry is changed.

export interface EditedMap<K, V> {
  get(key: K): V | undefined
  has(key: K): boolean
  set(key: K, value: V): void
  delete(key: K): void
  /** Entries may be set or deleted meanwhile; a value that is set meanwhile may be missed. */
  values(): Iterable<V>
  keys(): Iterable<K>
  entries(): Iterable<[K, V]>
  readonly size: number
  /** Keys that were set or deleted. Other folders ask `changes.ts`. */
  readonly touched: ReadonlySet<K>
  /** The map as it is now: the original one if nothing was changed. */
  result(): ReadonlyMap<K, V>
}

/** @param changed is told of each change as it is made */
export function editMap<K, V extends NonNullable<unknown>>(
  original: ReadonlyMap<K, V>,
  changed?: (before: V | undefined, after: V | undefined) => void,
): EditedMap<K, V> {
  return new CopiedMap(original, changed)
}

/** A class, unlike most here: each decision makes several, and closures would cost more than the decision. */
class CopiedMap<K, V extends NonNullable<unknown>> implements EditedMap<K, V> {
  readonly #changed: ((before: V | undefined, after: V | undefined) => void) | undefined
  #map: ReadonlyMap<K, V>
  #copy: Map<K, V> | undefined
  readonly #touched = new Set<K>()

  constructor(
    original: ReadonlyMap<K, V>,
    changed: ((before: V | undefined, after: V | undefined) => void) | undefined,
  ) {
    this.#map = original
    this.#changed = changed
  }

  get size(): number {
    return this.#map.size
  }

  get touched(): ReadonlySet<K> {
    return this.#touched
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  set(key: K, value: V): void {
    const before = this.#map.get(key)
    this.#copied(key).set(key, value)
    this.#changed?.(before, value)
  }

  delete(key: K): void {
    const before = this.#map.get(key)
    if (before === undefined) return
    this.#copied(key).delete(key)
    this.#changed?.(before, undefined)
  }

  values(): Iterable<V> {
    return this.#map.values()
  }

  keys(): Iterable<K> {
    return this.#map.keys()
  }

  entries(): Iterable<[K, V]> {
    return this.#map.entries()
  }

  result(): ReadonlyMap<K, V> {
    return this.#map
  }

  #copied(key: K): Map<K, V> {
    this.#touched.add(key)
    this.#copy ??= new Map(this.#map)
    this.#map = this.#copy
    return this.#copy
  }
}
