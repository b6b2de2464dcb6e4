// Fills in the variables of a text of the templates file as Compose does: `$NAME`, `${NAME}`, `${NAME:-default}` and the
// other forms in braces; `$$` stands for `$`. Pure.
import type { Parsed } from '@berth/shared/parse'

/** @returns `undefined` for a variable that is not set; a complaint for one that no template may use */
export type Variables = (name: string) => Parsed<string | undefined>

/** A complaint continues a sentence that begins with the field. */
export function interpolate(text: string, variables: Variables): Parsed<string> {
  let filled = ''
  let rest = text
  for (;;) {
    const at = rest.indexOf('$')
    if (at < 0) return { value: filled + rest }
    filled += rest.slice(0, at)
    rest = rest.slice(at)
    const form = formOf(rest)
    if (form === undefined)
      return { complaint: 'has a $ that begins no variable; write $$ for a dollar sign' }
    const result = valueOf(form, variables)
    if ('complaint' in result) return result
    filled += result.value
    rest = rest.slice(form.length)
  }
}

interface Form {
  /** Empty: `$$`. */
  readonly name: string
  /** Such as `:-`; empty for a variable without more. */
  readonly operator: string
  readonly operand: string
  /** How many characters of the text it takes. */
  readonly length: number
}

/** @param text begins with `$` */
function formOf(text: string): Form | undefined {
  if (text.startsWith('$$')) return { name: '', operator: '', operand: '', length: 2 }
  const plain = /^\$([A-Za-z_]\w*)/.exec(text)
  if (plain?.[1] !== undefined)
    return { name: plain[1], operator: '', operand: '', length: plain[0].length }
  const end = text.startsWith('${') ? closingBrace(text) : undefined
  if (end === undefined) return undefined
  const braced = /^([A-Za-z_]\w*)(?:(:?[-?+])(.*))?$/s.exec(text.slice(2, end))
  const [, name, operator = '', operand = ''] = braced ?? []
  return name === undefined ? undefined : { name, operator, operand, length: end + 1 }
}

/** The brace that closes the first one. A default may contain variables, and placeholders such as `{user}`. */
function closingBrace(text: string): number | undefined {
  let depth = 0
  for (const { 0: brace, index } of text.matchAll(/[{}]/g)) {
    depth += brace === '{' ? 1 : -1
    if (depth === 0) return index
  }
  return undefined
}

function valueOf({ name, operator, operand }: Form, variables: Variables): Parsed<string> {
  if (name === '') return { value: '$' }
  const found = variables(name)
  if ('complaint' in found)
    return { complaint: `has the variable ${name}, which ${found.complaint}` }
  const { value } = found
  const isThere = operator.startsWith(':') ? (value ?? '') !== '' : value !== undefined
  switch (operator.at(-1)) {
    case '-':
      return isThere ? { value: value ?? '' } : interpolate(operand, variables)
    case '+':
      return isThere ? interpolate(operand, variables) : { value: '' }
    case '?':
      if (isThere) return { value: value ?? '' }
      return {
        complaint:
          operand === ''
            ? `has the variable ${name}, which must not be empty`
            : `has the variable ${name}: ${operand}`,
      }
    default:
      // Compose warns and goes on with an empty text, which is rarely what was meant.
      if (value !== undefined) return { value }
      return {
        complaint: `has the variable ${name}, which is not set: set it in .env, or write \${${name}:-} for an empty text, or $$${name} for the text $${name} itself`,
      }
  }
}
