// Makes texts from other programs (image names, log lines, errors of the engine) safe to show. Pure.
import { stripVTControlCharacters } from 'node:util'

const lineLimit = 500
const linesLimit = 200
/** Control characters except the tab, and the marks that change the direction of text. */
const unprintable =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g
const loneSurrogate = /\p{Cs}/gu

/** One line without terminal sequences, control characters and more than `limit` characters. */
export function plainText(text: string, limit = lineLimit): string {
  // Cut the text before cleaning it, so that a huge line costs little. Terminal sequences need space, so keep more than
  // the limit.
  const plain = stripVTControlCharacters(text.slice(0, limit * 8))
    .replace(loneSurrogate, '\ufffd')
    .replace(unprintable, ' ')
    .trimEnd()
  return plain.length <= limit ? plain : `${plain.slice(0, limit)}…`
}

/** The last lines of a log. A line that was overwritten in place (a progress bar) is shown in its last state. */
export function plainLog(lines: readonly string[]): readonly string[] {
  const plain = lines.slice(-linesLimit).map((line) => plainText(lastState(line)))
  const first = plain.findIndex((line) => line !== '')
  return first === -1 ? [] : plain.slice(first)
}

function lastState(line: string): string {
  const states = line.slice(-lineLimit * 8).split('\r')
  return states.findLast((state) => state.trim() !== '') ?? ''
}
