// Frames of RFC 6455, as far as an echo needs them. Frames of the client are read piece by piece.
// A payload is never buffered, so a message may have any size.

export interface FrameHeader {
  readonly fin: boolean
  readonly opcode: number
  readonly length: number
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameSink {
  header(header: FrameHeader): void
  /** A piece of the payload, unmasked. */
  payload(piece: Buffer): void
  /** The frame is complete. */
  end(): void
}

/** The client broke the protocol; the connection cannot go on. */
export class FrameError extends Error {}

/** Reads the bytes of a client, split in any way. */
export function createFrameReader(sink: FrameSink): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0)
  let remaining = -1
  let mask: Buffer = Buffer.alloc(4)
  let maskAt = 0

  function takeHeader(): boolean {
    const parsed = parseHeader(pending)
    if (parsed === undefined) return false
    pending = pending.subarray(parsed.bytes)
    mask = parsed.mask
    maskAt = 0
    remaining = parsed.header.length
    sink.header(parsed.header)
    return true
  }

  function takePayload(): boolean {
    const piece = Buffer.from(pending.subarray(0, remaining))
    if (piece.length === 0 && remaining > 0) return false
    for (let at = 0; at < piece.length; at += 1) {
      piece[at] = (piece[at] ?? 0) ^ (mask[(maskAt + at) & 3] ?? 0)
    }
    maskAt = (maskAt + piece.length) & 3
    pending = pending.subarray(piece.length)
    remaining -= piece.length
    if (piece.length > 0) sink.payload(piece)
    if (remaining > 0) return false
    remaining = -1
    sink.end()
    return true
  }

  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let more = true
    while (more) more = remaining === -1 ? takeHeader() : takePayload()
  }
}

function parseHeader(
  bytes: Buffer,
): { header: FrameHeader; mask: Buffer; bytes: number } | undefined {
  if (bytes.length < 2) return undefined
  const first = bytes.readUInt8(0)
  const second = bytes.readUInt8(1)
  if ((first & 0x70) !== 0) throw new FrameError('an extension that was never agreed on')
  if ((second & 0x80) === 0) throw new FrameError('a frame from the client without a mask')
  const short = second & 0x7f
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  const total = 2 + lengthBytes + 4
  if (bytes.length < total) return undefined
  const length =
    lengthBytes === 0
      ? short
      : lengthBytes === 2
        ? bytes.readUInt16BE(2)
        : Number(bytes.readBigUInt64BE(2))
  const opcode = first & 0x0f
  if (opcode >= 8 && length > 125) throw new FrameError('a control frame that is too long')
  const mask = Buffer.from(bytes.subarray(2 + lengthBytes, total))
  return { header: { fin: (first & 0x80) !== 0, opcode, length }, mask, bytes: total }
}

export function encodeHeader({ fin, opcode, length }: FrameHeader): Buffer {
  const first = (fin ? 0x80 : 0) | opcode
  if (length < 126) return Buffer.from([first, length])
  if (length < 65_536) {
    const header = Buffer.from([first, 126, 0, 0])
    header.writeUInt16BE(length, 2)
    return header
  }
  const header = Buffer.alloc(10)
  header[0] = first
  header[1] = 127
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}

export function encodeFrame(opcode: number, payload: Buffer | string): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  return Buffer.concat([encodeHeader({ fin: true, opcode, length: body.length }), body])
}

export function closePayload(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code, 0)
  payload.write(reason, 2)
  return payload
}
