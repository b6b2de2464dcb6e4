// Where in the text of a YAML file something stands that has a path in its value.
import { isAlias, isMap, isNode, isScalar, isSeq, type Document, type LineCounter } from 'yaml'

export interface Position {
  /** From 1. */
  readonly line: number
  readonly column: number
}

export type Path = readonly (string | number)[]
type Found = { readonly key: unknown; readonly value: unknown }

/** @returns where the value is written, or its key for a map or list; for what is not there, what it is missing in */
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
  // A key that is itself a map or a list has no name, and may not even have a text: yaml throws for some.
  const name = ({ key }: Found): string | undefined =>
    isScalar(key) ? String(key.value) : undefined
  const own = pairs.find((pair) => name(pair) === String(step))
  if (own !== undefined) return own
  // What was merged in by `<<`.
  for (const merged of pairs.filter(({ key }) => isScalar(key) && key.source === '<<')) {
    const sources = resolved(merged.value, document)
    for (const source of isSeq(sources) ? sources.items : [sources]) {
      const found = child(resolved(source, document), step, document)
      if (found !== undefined) return found
    }
  }
  return undefined
}
