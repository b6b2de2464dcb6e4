// A YAML file with syntax errors, read as far as it can be: around each error the smallest entry of a block map is
// removed and the rest is parsed again. What was removed is known, so that nothing is concluded from what is missing.
import { isAlias, isMap, isNode, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { Position } from './positions.ts'

export interface YamlError extends Position {
  readonly message: string
}

export interface ReadableYaml {
  readonly document: Document.Parsed
  readonly lines: LineCounter
  readonly errors: readonly YamlError[]
  /** For each removed entry the line before it and the entries that this is in, from the inside to the outside. */
  readonly gaps: readonly (readonly number[])[]
}

interface Fault extends YamlError {
  readonly offset: number
  /** The name of an anchor that an alias needs and that is not there. */
  readonly anchor?: string
}

/** A text with more syntax errors than this is hardly YAML, and each costs parsing it again. */
const mostGaps = 50

/** @returns `errors` alone where the text cannot be parsed even without the lines that have errors */
export function readYaml(text: string): ReadableYaml | { readonly errors: readonly YamlError[] } {
  const rows = text.split('\n')
  const errors: YamlError[] = []
  const gaps: number[][] = []
  const removed = new Map<number, string>()
  for (;;) {
    const lines = new LineCounter()
    const source = rows.join('\n')
    const document = parseDocument(source, { lineCounter: lines, merge: true, logLevel: 'error' })
    const fault = firstFault(document, lines)
    if (fault === undefined) {
      // A key that stands there twice does not keep the others from being read.
      errors.push(...document.errors.map((error) => faultOf(error, lines)))
      return { document, lines, errors, gaps }
    }
    // What follows from a removal is no fault of the text.
    const gap = gapAround(rows, fault, entryLine(document, lines, fault.offset))
    const isTold = errors.some(({ line }) => line === fault.line && line === gap?.from)
    if (!isTold && !followsFrom(removed, fault))
      errors.push({ line: fault.line, column: fault.column, message: fault.message })
    if (gap === undefined || gaps.length === mostGaps) return { errors }
    gaps.push(linesAbove(rows, gap.from))
    for (let line = gap.from; line <= gap.to; line += 1) removed.set(line, rows[line - 1] ?? '')
    rows.fill('', gap.from - 1, gap.to)
  }
}

function followsFrom(removed: ReadonlyMap<number, string>, { line, anchor }: Fault): boolean {
  if (anchor === undefined) return removed.has(line)
  return [...removed.values()].some((row) => row.includes(`&${anchor}`))
}

function firstFault(document: Document.Parsed, lines: LineCounter): Fault | undefined {
  const [first] = document.errors
    .filter(({ code }) => code !== 'DUPLICATE_KEY')
    .toSorted((a, b) => a.pos[0] - b.pos[0])
  if (first !== undefined) return faultOf(first, lines)
  return unknownAlias(document, lines)
}

function unknownAlias(document: Document.Parsed, lines: LineCounter): Fault | undefined {
  const anchors = new Set<string>()
  let fault: Fault | undefined
  visit(document, {
    Node(_key, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor)
        return undefined
      }
      const anchor = node.source
      if (anchors.has(anchor)) return undefined
      const offset = node.range?.[0] ?? 0
      const message = `The alias *${anchor} has no anchor &${anchor} before it`
      fault = { ...placeOf(offset, lines), message, offset, anchor }
      return visit.BREAK
    },
  })
  return fault
}

function faultOf(error: Document.Parsed['errors'][number], lines: LineCounter): Fault {
  const [offset] = error.pos
  const [sentence = ''] = error.message.split('\n')
  const message =
    error.code === 'MULTIPLE_DOCS'
      ? 'A second document begins here: write all templates in one'
      : sentence.replace(/ at line \d+, column \d+:?$/, '')
  return { ...placeOf(offset, lines), message, offset }
}

function placeOf(offset: number, lines: LineCounter): Position {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

/** Where the entry begins whose value, not itself a block map, reaches to that offset: a text or a list left open. */
function entryLine(document: Document.Parsed, lines: LineCounter, offset: number) {
  let node: unknown = document.contents
  let line: number | undefined
  while (isMap(node) && node.flow !== true) {
    const pair = node.items.find(({ key, value }) => {
      const [start, end] = [isNode(key) && key.range?.[0], isNode(value) && value.range?.[1]]
      return (
        typeof start === 'number' && start <= offset && typeof end === 'number' && offset <= end
      )
    })
    if (pair === undefined) return undefined
    if (isNode(pair.key)) line = lines.linePos(pair.key.range?.[0] ?? 0).line
    node = pair.value
  }
  return line
}

/** The entry with all that is further in, which is where a text or a list that was left open should have ended. */
function gapAround(
  rows: readonly string[],
  fault: Fault,
  entry = fault.line,
): { from: number; to: number } | undefined {
  const isBlank = (line: number): boolean => (rows[line - 1] ?? '').trim() === ''
  let from = Math.min(entry, fault.line)
  // An error behind what was removed is put right by removing more.
  while (from > 0 && isBlank(from)) from -= 1
  if (from === 0) return undefined
  // What follows is another document, and belongs to no entry of this one.
  if (/^---/.test(rows[from - 1] ?? '')) return { from, to: rows.length }
  const row = rows[from - 1] ?? ''
  // Where a tab hides how far in an entry is, all that may be in it is removed with it.
  const depth = row.includes('\t') && opensEntry(row) ? 0 : depthOf(row)
  let to = from
  while (to < rows.length && (isBlank(to + 1) || depthOf(rows[to]) > depth)) to += 1
  if (/^\s*[\]}]/.test(rows[to] ?? '')) to += 1
  return { from, to }
}

/** The line before may be the one that it was meant to belong to, however far in each of them is. */
function linesAbove(rows: readonly string[], from: number): number[] {
  const above: number[] = []
  let depth = Number.POSITIVE_INFINITY
  for (let line = from - 1; line > 0 && depth > 0; line -= 1) {
    const row = rows[line - 1] ?? ''
    if (/^\s*(#|$)/.test(row) || depthOf(row) >= depth) continue
    above.push(line)
    depth = depthOf(row)
  }
  return above
}

const opensEntry = (row: string): boolean => /:\s*$/.test(row)
/** A tab says nothing of the depth; the items of a list are further in than the key in front of them. */
function depthOf(row = ''): number {
  const [space = ''] = /^\s*/.exec(row) ?? []
  if (space.includes('\t')) return Number.POSITIVE_INFINITY
  return /^\s*-(\s|$)/.test(row) ? space.length + 0.5 : space.length
}
