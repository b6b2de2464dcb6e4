// Reads the engine's frames (header of 8 bytes: stream, 0, 0, 0, length): their payloads, and a log as clean lines. Pure.
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
  return cleanLines(Buffer.concat([...payloads(framed)]).toString('utf8'), bounds)
}

/** The same of a text without frames. */
export function cleanLines(text: string, bounds: LineBounds): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => clean(line, bounds.lineLength))
    .filter((line) => line !== '')
    .slice(-bounds.lines)
}

export interface FramePart {
  /** 1: standard output; 2: standard error. */
  readonly stream: number
  readonly part: Uint8Array
}

/** Reads frames as they arrive, cut anywhere: each call yields what its chunk has of their content. */
export function createFrameReader(): (chunk: Uint8Array) => Generator<FramePart> {
  let head = Buffer.alloc(0)
  let left = 0
  let stream = 0
  return function* (chunk) {
    for (let at = 0; at < chunk.length;) {
      const isHead = left === 0
      const end = Math.min(at + (isHead ? headerLength - head.length : left), chunk.length)
      const part = chunk.subarray(at, end)
      at = end
      if (isHead) {
        head = Buffer.concat([head, part])
        if (head.length < headerLength) break
        stream = head[0] ?? 0
        left = head.readUInt32BE(4)
        head = Buffer.alloc(0)
      } else {
        left -= part.length
        yield { stream, part }
      }
    }
  }
}

/** Reads frames as they arrive, cut anywhere: each call returns the lines that its chunk completes. */
export function createLogReader(lineLength: number): (chunk: Uint8Array) => readonly string[] {
  const decoder = new TextDecoder()
  const partsOf = createFrameReader()
  let rest = ''

  function textOf(chunk: Uint8Array): string {
    let text = ''
    for (const { part } of partsOf(chunk)) text += decoder.decode(part, { stream: true })
    return text
  }

  return (chunk) => {
    const lines = (rest + textOf(chunk)).split(/\r?\n/)
    // A container may write a line that never ends: its beginning is all that is shown of it.
    rest = (lines.pop() ?? '').slice(0, lineLength * 8)
    return lines.map((line) => clean(line, lineLength)).filter((line) => line !== '')
  }
}

function clean(line: string, longest: number): string {
  // On a terminal, the text after a carriage return overwrites the text before it.
  const shown = stripVTControlCharacters(line.slice(line.lastIndexOf('\r') + 1))
    .replace(/\t/g, '  ')
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .trimEnd()
  return shown.length <= longest ? shown : `${shown.slice(0, longest)}…`
}
