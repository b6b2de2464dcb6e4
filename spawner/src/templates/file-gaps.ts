// What was left out of a file around its syntax errors, and so which complaints would only follow from that.
import { isNode, visit } from 'yaml'
import { isMap } from './file-fields.ts'
import type { Path, Position } from './positions.ts'
import type { ReadableYaml } from './readable-yaml.ts'

export interface Gaps {
  readonly any: boolean
  /** Something outside of `templates` is missing: secrets, or an anchor that templates use. */
  readonly elsewhere: boolean
  /** Whether a template may lack something that the file gives it. */
  areIn(template: string): boolean
}

export function findGaps(
  { gaps, document }: ReadableYaml,
  position: (path: Path, at: 'key') => Position,
): Gaps {
  const lineOf = (...path: string[]): number => position(path, 'key').line
  const elsewhere = gaps.some((above) => !above.includes(lineOf('templates')))
  return {
    any: gaps.length > 0,
    elsewhere,
    areIn(template) {
      if (gaps.length === 0 || elsewhere) return elsewhere
      const line = lineOf('templates', template)
      return gaps.some((above) => above.includes(line)) || hasAlias(document, template)
    },
  }
}

/** What an anchor brings may be incomplete as well. */
function hasAlias(document: ReadableYaml['document'], template: string): boolean {
  const node = document.getIn(['templates', template], true)
  if (!isNode(node)) return true
  let found = false
  visit(node, {
    Alias() {
      found = true
      return visit.BREAK
    },
  })
  return found
}

/** @returns the value at a path; `undefined` where there is none, or where the key has no value */
export function valueAt(content: unknown, path: Path): unknown {
  let value = content
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)] as unknown
    else if (isMap(value) && Object.hasOwn(value, step)) value = value[step]
    else return undefined
  }
  return value ?? undefined
}
