// Splits a command into words. A command is a JSON array, or a text that is split by the quoting rules of a shell. No
// shell runs it.

/** @returns `undefined` for an unclosed quote, or for a text that begins with `[` but is not a JSON array of texts */
export function parseCommand(text: string): readonly string[] | undefined {
  const trimmed = text.trim()
  return trimmed.startsWith('[') ? parseJson(trimmed) : splitWords(trimmed)
}

function parseJson(text: string): readonly string[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const words: unknown[] = Array.isArray(value) ? value : [undefined]
  return words.every((word) => typeof word === 'string') ? words : undefined
}

function splitWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    const escapes = char === '\\' && quote !== "'" && at + 1 < text.length
    if (escapes && (quote === '' || '"\\'.includes(text.charAt(at + 1)))) {
      at += 1
      word = (word ?? '') + text.charAt(at)
    } else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (quote !== '') return undefined
  if (word !== undefined) words.push(word)
  return words
}
