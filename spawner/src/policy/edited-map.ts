// A map that many decisions follow one another in: a base that is never changed, and the few changes since, which
// become a new base when they are many. So one decision stays cheap among ten thousand workspaces.

export interface EditedMap<K, V> {
  get(key: K): V | undefined
  has(key: K): boolean
  set(key: K, value: V): void
  delete(key: K): void
  /** Entries may be set or deleted meanwhile; what is new meanwhile may be missed. */
  values(): Iterable<V>
  keys(): Iterable<K>
  entries(): Iterable<[K, V]>
  readonly size: number
  /** Keys that were set or deleted. */
  readonly touched: ReadonlySet<K>
  /** The map as it is now: the original one when nothing was changed. */
  result(): ReadonlyMap<K, V>
}

const gone = Symbol('gone')
type Changes<K, V> = ReadonlyMap<K, V | typeof gone>

/** @param changed is told of each change as it is made */
export function editMap<K, V extends NonNullable<unknown>>(
  original: ReadonlyMap<K, V>,
  changed?: (before: V | undefined, after: V | undefined) => void,
): EditedMap<K, V> {
  const touched = new Set<K>()
  const { base, changes: former } = layersOf(original)
  let changes: Map<K, V | typeof gone> | undefined
  let size = original.size
  const layers = () => new LayeredMap(base, changes ?? former, size)
  const get = (key: K) => find(base, changes ?? former, key)
  const put = (key: K, value: V | undefined) => {
    const before = get(key)
    if (value === undefined && before === undefined) return
    touched.add(key)
    changes ??= new Map(former)
    if (value !== undefined || base.has(key)) changes.set(key, value ?? gone)
    else changes.delete(key)
    size += Number(value !== undefined) - Number(before !== undefined)
    changed?.(before, value)
  }
  return {
    get,
    has: (key) => get(key) !== undefined,
    set: (key, value) => put(key, value),
    delete: (key) => put(key, undefined),
    values: () => layers().values(),
    keys: () => layers().keys(),
    entries: () => layers().entries(),
    get size() {
      return size
    },
    touched,
    result() {
      if (changes === undefined) return original
      // The larger the base, the dearer a new one: about as many changes as its root are carried along.
      return changes.size ** 2 > 2 * base.size ? merged(base, changes) : layers()
    },
  }
}

const nothing: Changes<never, never> = new Map<never, never>()

function merged<K, V>(base: ReadonlyMap<K, V>, changes: Changes<K, V>): ReadonlyMap<K, V> {
  const map = new Map(base)
  for (const [key, own] of changes)
    if (own === gone) map.delete(key)
    else map.set(key, own)
  return map
}

function layersOf<K, V>(
  map: ReadonlyMap<K, V>,
): {
  readonly base: ReadonlyMap<K, V>
  readonly changes: Changes<K, V>
} {
  return map instanceof LayeredMap ? map : { base: map, changes: nothing }
}

function find<K, V>(base: ReadonlyMap<K, V>, changes: Changes<K, V>, key: K): V | undefined {
  const own = changes.get(key)
  if (own === undefined) return base.get(key)
  return own === gone ? undefined : own
}

/** Its order is the base's, then that of what was added since. */
class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly base: ReadonlyMap<K, V>
  readonly changes: Changes<K, V>
  readonly size: number

  constructor(base: ReadonlyMap<K, V>, changes: Changes<K, V>, size: number) {
    this.base = base
    this.changes = changes
    this.size = size
  }

  get(key: K): V | undefined {
    return find(this.base, this.changes, key)
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  *entries(): MapIterator<[K, V]> {
    const { base, changes } = this
    for (const entry of base) {
      const own = changes.get(entry[0])
      if (own === undefined) yield entry
      else if (own !== gone) yield [entry[0], own]
    }
    for (const [key, own] of changes) if (own !== gone && !base.has(key)) yield [key, own]
  }

  *keys(): MapIterator<K> {
    for (const [key] of this) yield key
  }

  *values(): MapIterator<V> {
    for (const [, value] of this) yield value
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }
}
