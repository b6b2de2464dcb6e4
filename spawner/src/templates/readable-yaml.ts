// A YAML file with syntax errors, read as far as it can be: each template (or other entry of the file) that has an
// error is left out as a whole and the rest is parsed again. So a complaint about the rest never follows from an error.
import { isAlias, isMap, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import { keepAsWritten } from './as-written.ts'
import type { Position } from './positions.ts'

export interface YamlError extends Position {
  readonly message: string
}

export interface ReadableYaml {
  readonly errors: readonly YamlError[]
  /** Absent where nothing can be read. */
  readonly document?: Document.Parsed
  readonly lines: LineCounter
  /** Something was left out: templates, or what they refer to. */
  readonly isPartial: boolean
  /** Templates directly above what was left out: rows of theirs may be in it. */
  readonly incomplete: ReadonlySet<unknown>
}

interface Fault extends YamlError {
  /** Of a character that belongs to the entry with the error. */
  readonly offset: number
  /** The name of an anchor that an alias refers to and that is not there. */
  readonly anchor?: string
}

/** A text with more errors than this is hardly YAML, and each costs parsing it again. */
const mostLeftOut = 20

export function readYaml(text: string): ReadableYaml {
  const rows = text.split('\n')
  const errors: YamlError[] = []
  const leftOut: string[] = []
  const gaps: number[] = []
  for (;;) {
    const lines = new LineCounter()
    const document = parseDocument(rows.join('\n'), {
      lineCounter: lines,
      merge: true,
      logLevel: 'error',
    })
    const fault = firstFault(document, lines)
    const isPartial = leftOut.length > 0
    if (fault === undefined) {
      // A key that stands there twice does not keep the others from being read.
      errors.push(...document.errors.map((error) => faultOf(error, lines)))
      keepAsWritten(document)
      return {
        errors,
        document,
        lines,
        isPartial,
        incomplete: templatesAbove(document, lines, gaps),
      }
    }
    // An alias to what was left out is no fault of the text.
    const { line, column, message, anchor } = fault
    const follows = anchor !== undefined && leftOut.some((row) => row.includes(`&${anchor}`))
    if (!follows) errors.push({ line, column, message })
    const entry = entryAround(document, lines, rows, fault)
    if (entry === undefined || leftOut.length >= mostLeftOut)
      return { errors, lines, isPartial, incomplete: new Set() }
    leftOut.push(rows.slice(entry.from, entry.to).join('\n'))
    // Rows of what is above may be in it, but for a further document.
    if (!isMarker(rows[entry.from])) gaps.push(entry.from)
    rows.fill('', entry.from, entry.to)
  }
}

function firstFault(document: Document.Parsed, lines: LineCounter): Fault | undefined {
  const [first] = document.errors
    .filter(({ code }) => code !== 'DUPLICATE_KEY')
    .toSorted((a, b) => a.pos[0] - b.pos[0])
  return first === undefined ? faultyAlias(document, lines) : faultOf(first, lines)
}

function faultyAlias(document: Document.Parsed, lines: LineCounter): Fault | undefined {
  const anchored = new Map<string, unknown>()
  let fault: Fault | undefined
  visit(document, {
    Node(_key, node, above) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchored.set(node.anchor, node)
        return undefined
      }
      const anchor = node.source
      const target = anchored.get(anchor)
      // A value without an end: whatever walks through it would never return.
      const isWithin = above.some((outer) => outer === target)
      if (target !== undefined && !isWithin) return undefined
      const offset = node.range?.[0] ?? 0
      const message = isWithin
        ? `The alias *${anchor} stands within the value of &${anchor} itself`
        : `The alias *${anchor} has no anchor &${anchor} before it`
      fault = { ...placeOf(offset, lines), message, offset, ...(isWithin ? {} : { anchor }) }
      return visit.BREAK
    },
  })
  return fault
}

function faultOf(error: Document.Parsed['errors'][number], lines: LineCounter): Fault {
  const [at] = error.pos
  // A map that was left open is noticed at the key of the next entry.
  const offset = error.code === 'BAD_INDENT' ? at - 1 : at
  const [sentence = ''] = error.message.split('\n')
  const message =
    error.code === 'MULTIPLE_DOCS'
      ? 'A second document begins here: write all templates in one'
      : sentence.replace(/ at line \d+, column \d+:?$/, '')
  return { ...placeOf(at, lines), message, offset }
}

function placeOf(offset: number, lines: LineCounter): Position {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

/**
 * The rows of the template that the error is in, or of another entry of the file. A text that was left open reaches to
 * the error, so the last key before the error is the one that it belongs to.
 *
 * @returns `from` and `to` as `slice` takes them; `undefined` where no entry can be told
 */
function entryAround(
  document: Document.Parsed,
  lines: LineCounter,
  rows: readonly string[],
  { offset, line }: Fault,
): { from: number; to: number } | undefined {
  // A further document belongs to no entry of this one.
  if (isMarker(rows[line - 1])) return { from: line - 1, to: rows.length }
  const top = lastKeyBefore(document.contents, offset)
  const key = top?.name === 'templates' ? lastKeyBefore(top.value, offset) : top
  if (key === undefined) return undefined
  const from = lines.linePos(key.offset).line - 1
  const depth = depthOf(rows[from])
  let to = from + 1
  while (to < rows.length && (isBlank(rows[to]) || depthOf(rows[to]) > depth)) to += 1
  return { from, to }
}

function templatesAbove(
  document: Document.Parsed,
  lines: LineCounter,
  gaps: readonly number[],
): ReadonlySet<unknown> {
  const names = gaps.map((row) => {
    const offset = (lines.lineStarts[row] ?? 1) - 1
    const top = lastKeyBefore(document.contents, offset)
    return top?.name === 'templates' ? lastKeyBefore(top.value, offset)?.name : undefined
  })
  return new Set(names)
}

function lastKeyBefore(node: unknown, offset: number) {
  if (!isMap(node) || node.flow === true) return undefined
  const keys = node.items.flatMap(({ key, value }) => {
    const at = isScalar(key) ? key.range?.[0] : undefined
    return isScalar(key) && at !== undefined && at <= offset
      ? [{ name: key.value, value, offset: at }]
      : []
  })
  return keys.at(-1)
}

const isMarker = (row = ''): boolean => row.startsWith('---')
const isBlank = (row = ''): boolean => /^\s*(#|$)/.test(row)
/** A tab is no indentation in YAML: such a row is part of what is above it. */
const depthOf = (row = ''): number => (/^ *\t/.test(row) ? Infinity : row.search(/[^ ]|$/))
