// A map that many decisions follow one another in: a base that is never changed, the changes since, and the latest few
// of these apart. Few are copied for each decision, more now and then, all seldom: so one stays cheap among thousands.

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

/** What came later wins. */
interface Layers<K, V> {
  readonly base: ReadonlyMap<K, V>
  readonly earlier: Changes<K, V>
  readonly latest: Changes<K, V>
}

const nothing: Changes<never, never> = new Map<never, never>()
const mostLatest = 24
const untouched: ReadonlySet<never> = new Set<never>()

/** @param changed is told of each change as it is made */
export function editMap<K, V extends NonNullable<unknown>>(
  original: ReadonlyMap<K, V>,
  changed?: (before: V | undefined, after: V | undefined) => void,
): EditedMap<K, V> {
  return new LayersInWork(original, changed)
}

/** A class, unlike most here: several are made for each decision, and closures would cost more than the decision. */
class LayersInWork<K, V extends NonNullable<unknown>> implements EditedMap<K, V> {
  readonly #original: ReadonlyMap<K, V>
  readonly #changed: ((before: V | undefined, after: V | undefined) => void) | undefined
  readonly #base: ReadonlyMap<K, V>
  readonly #earlier: Changes<K, V>
  #latest: Changes<K, V>
  #copy: Map<K, V | typeof gone> | undefined
  #touched: Set<K> | undefined
  #size: number

  constructor(
    original: ReadonlyMap<K, V>,
    changed: ((before: V | undefined, after: V | undefined) => void) | undefined,
  ) {
    const layers: Layers<K, V> = layersOf(original)
    this.#original = original
    this.#changed = changed
    this.#base = layers.base
    this.#earlier = layers.earlier
    this.#latest = layers.latest
    this.#size = original.size
  }

  get size(): number {
    return this.#size
  }

  get touched(): ReadonlySet<K> {
    return this.#touched ?? untouched
  }

  get(key: K): V | undefined {
    return find(this.#base, this.#earlier, this.#latest, key)
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  set(key: K, value: V): void {
    this.#put(key, value)
  }

  delete(key: K): void {
    this.#put(key, undefined)
  }

  values(): Iterable<V> {
    return this.#layers().values()
  }

  keys(): Iterable<K> {
    return this.#layers().keys()
  }

  entries(): Iterable<[K, V]> {
    return this.#layers().entries()
  }

  result(): ReadonlyMap<K, V> {
    const copy = this.#copy
    const base = this.#base
    if (copy === undefined) return this.#original
    if (copy.size <= mostLatest && base.size > mostLatest) return this.#layers()
    const changes = new Map([...this.#earlier, ...copy])
    // The larger the base, the dearer a new one, and the more changes are carried along.
    if (changes.size ** 2 > 32 * base.size) return merged(base, changes)
    return new LayeredMap({ base, earlier: changes, latest: nothing }, this.#size)
  }

  #layers(): LayeredMap<K, V> {
    const layers = { base: this.#base, earlier: this.#earlier, latest: this.#latest }
    return new LayeredMap(layers, this.#size)
  }

  #put(key: K, value: V | undefined): void {
    const before = this.get(key)
    if (value === undefined && before === undefined) return
    this.#touched ??= new Set()
    this.#touched.add(key)
    this.#copy ??= new Map(this.#latest)
    this.#latest = this.#copy
    this.#copy.set(key, value ?? gone)
    this.#size += Number(value !== undefined) - Number(before !== undefined)
    this.#changed?.(before, value)
  }
}

function layersOf<K, V>(map: ReadonlyMap<K, V>): Layers<K, V> {
  return map instanceof LayeredMap ? map : { base: map, earlier: nothing, latest: nothing }
}

function merged<K, V>(base: ReadonlyMap<K, V>, changes: Changes<K, V>): ReadonlyMap<K, V> {
  const map = new Map(base)
  for (const [key, own] of changes)
    if (own === gone) map.delete(key)
    else map.set(key, own)
  return map
}

function find<K, V>(
  base: ReadonlyMap<K, V>,
  earlier: Changes<K, V>,
  latest: Changes<K, V>,
  key: K,
): V | undefined {
  const own = latest.get(key) ?? earlier.get(key)
  if (own === undefined) return base.get(key)
  return own === gone ? undefined : own
}

/** Its order is the base's, then that of what was added since. */
class LayeredMap<K, V> implements ReadonlyMap<K, V>, Layers<K, V> {
  readonly base: ReadonlyMap<K, V>
  readonly earlier: Changes<K, V>
  readonly latest: Changes<K, V>
  readonly size: number

  constructor({ base, earlier, latest }: Layers<K, V>, size: number) {
    this.base = base
    this.earlier = earlier
    this.latest = latest
    this.size = size
  }

  get(key: K): V | undefined {
    return find(this.base, this.earlier, this.latest, key)
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  *entries(): MapIterator<[K, V]> {
    const { base, earlier, latest } = this
    for (const entry of base) {
      const own = latest.get(entry[0]) ?? earlier.get(entry[0])
      if (own === undefined) yield entry
      else if (own !== gone) yield [entry[0], own]
    }
    for (const [key, former] of earlier) {
      const own = latest.get(key) ?? former
      if (own !== gone && !base.has(key)) yield [key, own]
    }
    for (const [key, own] of latest)
      if (own !== gone && !base.has(key) && !earlier.has(key)) yield [key, own]
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
