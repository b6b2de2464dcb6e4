// Turns the scalars of a YAML file into the texts that the file has: `1.10` is not 1.1, and `0x10` is not 16. Nothing in
// the file is a number to Berth before the rule of its key has read the text.
import { isScalar, Scalar, visit, type Document } from 'yaml'
import { unreadable } from './file-fields.ts'

/** The tags of YAML itself that say nothing but what the value is. */
const plainTag = /^(!|tag:yaml\.org,2002:(str|int|float|bool|null|map|seq))$/

/** Changes the document. A value whose tag would change it becomes unreadable. */
export function keepAsWritten(document: Document.Parsed): void {
  visit(document, {
    Value(key, node) {
      const { tag, range, anchor } = node
      if (key !== 'key' && tag !== undefined && !plainTag.test(tag)) {
        const instead = new Scalar(unreadable(complaintAbout(tag)))
        const place = { range: range ?? null, ...(anchor === undefined ? {} : { anchor }) }
        return Object.assign(instead, place)
      }
      if (isScalar(node) && isChanged(node.value, key === 'key')) node.value = node.source
      return undefined
    },
  })
}

/** Whether YAML has made another value of the text. A value that is null stays none; a key is a name. */
function isChanged(value: unknown, isKey: boolean): boolean {
  if (value === null) return isKey
  return typeof value !== 'string' && typeof value !== 'symbol'
}

function complaintAbout(tag: string): string {
  return ['!reset', '!override'].includes(tag)
    ? `has the tag ${tag}, which is for files that Compose merges, and this file is read alone: leave out the tag, or the key that should have no value`
    : `has the tag ${tag}, which is not known here: leave it out`
}
