// Reads a container's log from the engine's frames (header of 8 bytes: stream, 0, 0, 0, length) as clean lines. Pure.
import { stripVTControlCharacters } from 'node:util'

const headerLength = 8

/** Not recursive: the container decides how small its frames are, and a chunk may hold tens of thousands. */
export function* payloads(framed: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength)
  let at = 0
  while (at + headerLength <= framed.byteLength) {
    const length = view.getUint32(at + 4)
    const from = at + headerLength
    yield framed.subarray(from, Math.min(from + length, framed.byteLength))
    at = from + length
  }
}

export interface LineBounds {
  readonly lines: number
  readonly lineLength: number
}

/** @returns the last lines, oldest first, without control characters, long lines cut */
export function lastLines(framed: Uint8Array, bounds: LineBounds): readonly string[] {
  const text = Buffer.concat([...payloads(framed)]).toString('utf8')
  return text
    .split(/\r?\n/)
    .map((line) => clean(line, bounds.lineLength))
    .filter((line) => line !== '')
    .slice(-bounds.lines)
}

function clean(line: string, longest: number): string {
  // On a terminal, the text after a carriage return overwrites the text before it.
  const shown = stripVTControlCharacters(line.slice(line.lastIndexOf('\r') + 1))
    .replace(/\t/g, '  ')
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .trimEnd()
  return shown.length <= longest ? shown : `${shown.slice(0, longest)}…`
}
