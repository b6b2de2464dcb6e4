// Finds the position in the text of a YAML file for a path in its value.
import { isAlias, isMap, isNode, isScalar, isSeq, type Document, type LineCounter } from 'yaml'

export interface Position {
  /** Counted from 1. */
  readonly line: number
  readonly column: number
}

export type Path = readonly (string | number)[]
type Found = { readonly key: unknown; readonly value: unknown }

/** @returns the position of a value, or of its key for a map or list. For a missing value: the position of the map or
 * list that should have it. */
export function createPositions(
  document: Document.Parsed,
  lines: LineCounter,
): (path: Path, at?: 'key') => Position {
  return (path, at) => {
    let offset = 0
    let node: unknown = document.contents
    for (const [index, step] of path.entries()) {
      const found = child(resolved(node, document), step, document)
      if (found === undefined) break
      node = found.value
      const isLast = index === path.length - 1
      const value =
        isLast && at !== 'key' && isScalar(node) && node.source !== '' ? node : undefined
      offset = startOf(value) ?? startOf(found.key) ?? startOf(node) ?? offset
    }
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

function resolved(node: unknown, document: Document.Parsed): unknown {
  return isAlias(node) ? node.resolve(document) : node
}

const startOf = (node: unknown): number | undefined =>
  isNode(node) ? (node.range?.[0] ?? undefined) : undefined

function child(node: unknown, step: string | number, document: Document.Parsed): Found | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(step)]
    return value === undefined ? undefined : { key: undefined, value }
  }
  if (!isMap(node)) return undefined
  const pairs = node.items.map(({ key, value }) => ({ key, value }))
  // A key that is itself a map or a list has no name. For some of these keys `yaml` throws instead of making a text.
  const name = ({ key }: Found): string | undefined =>
    isScalar(key) ? String(key.value) : undefined
  const own = pairs.find((pair) => name(pair) === String(step))
  if (own !== undefined) return own
  // Then search the maps that `<<` merges in.
  for (const merged of pairs.filter(({ key }) => isScalar(key) && key.source === '<<')) {
    const sources = resolved(merged.value, document)
    for (const source of isSeq(sources) ? sources.items : [sources]) {
      const found = child(resolved(source, document), step, document)
      if (found !== undefined) return found
    }
  }
  return undefined
}
