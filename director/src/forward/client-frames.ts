// Divides what a WebSocket's client sends into frames that are use and frames that are not (RFC 6455, 5.2). The bytes are
// not changed; those of a frame whose beginning has not arrived yet are kept until it can be judged.
import { createFrameWatch } from './frame-watch.ts'
import type { ClientFrame } from '../routing/quiet-frames.ts'

/** `quiet`: data that is no use. */
export type PieceKind = 'use' | 'quiet' | 'control'

/** Bytes of one frame, or of several of the same kind. */
export interface Piece {
  readonly kind: PieceKind
  readonly bytes: Buffer
  /** It begins in the middle of a frame. */
  readonly continues: boolean
}

export type DivideFrames = (chunk: Buffer) => readonly Piece[]

/** Every data frame is use. Cheap: nothing is kept or copied. */
export function createPlainDivision(): DivideFrames {
  const watch = createFrameWatch()
  return (chunk) => {
    const continues = !watch.atBoundary
    return [{ kind: watch.sawData(chunk) ? 'use' : 'control', bytes: chunk, continues }]
  }
}

export interface Judging {
  readonly isQuiet: (frame: ClientFrame) => boolean
  readonly longestPrefix: number
}

const closeOpcode = 8
const maskBytes = 4

interface Head {
  readonly opcode: number
  readonly final: boolean
  readonly compressed: boolean
  /** Of the head and the payload. */
  readonly length: number
  readonly payload: number
  readonly begin: Uint8Array
}

export function createJudgedDivision({ isQuiet, longestPrefix }: Judging): DivideFrames {
  let kept: Buffer | undefined
  /** Of the frame that has begun. */
  let kind: PieceKind = 'control'
  let left = 0
  /** Further frames of a message are what its first frame is. */
  let ofMessage: PieceKind = 'use'

  function judge({ opcode, final, compressed, payload, begin }: Head): PieceKind {
    if (opcode >= closeOpcode) return 'control'
    if (opcode !== 0)
      ofMessage = final && !compressed && isQuiet({ bytes: payload, begin }) ? 'quiet' : 'use'
    return ofMessage
  }

  return (chunk) => {
    const bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk])
    kept = undefined
    const pieces: Piece[] = []
    for (let start = 0; start < bytes.length;) {
      const continues = left > 0
      if (!continues) {
        const head = readHead(bytes.subarray(start), longestPrefix)
        if (head === undefined) {
          kept = bytes.subarray(start)
          break
        }
        kind = judge(head)
        left = head.length
      }
      const end = Math.min(bytes.length, start + left)
      left -= end - start
      pieces.push({ kind, bytes: bytes.subarray(start, end), continues })
      start = end
    }
    return pieces
  }
}

/** @returns `undefined` until the head and what is compared of the payload are there */
function readHead(bytes: Buffer, longestPrefix: number): Head | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const short = second & 0x7f
  const lengthEnd = short < 126 ? 2 : short === 126 ? 4 : 10
  const masked = (second & 0x80) !== 0
  const headEnd = lengthEnd + (masked ? maskBytes : 0)
  if (bytes.length < headEnd) return undefined
  const payload =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  const compared = Math.min(longestPrefix, payload)
  if (bytes.length < headEnd + compared) return undefined
  const begin = Uint8Array.from(bytes.subarray(headEnd, headEnd + compared), (byte, at) =>
    masked ? byte ^ (bytes[lengthEnd + (at % maskBytes)] ?? 0) : byte,
  )
  return {
    opcode: first & 0x0f,
    final: (first & 0x80) !== 0,
    compressed: (first & 0x40) !== 0,
    length: headEnd + payload,
    payload,
    begin,
  }
}
