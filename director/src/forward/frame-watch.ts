// Follows WebSocket frames (RFC 6455, 5.2) through chunks of any size: what kind they are and where they end.
// Only reads: nothing is changed, copied or allocated per chunk.

export interface FrameWatch {
  /**
   * Follows the bytes from `start` until a frame ends or the chunk does.
   *
   * @returns the index behind the last byte that was followed
   */
  advance(chunk: Uint8Array, start: number): number
  /** Follows a whole chunk. @returns whether any byte of it belongs to a data frame */
  sawData(chunk: Uint8Array): boolean
  /** Between two frames: another frame may be inserted here. */
  readonly atBoundary: boolean
  /** Between two messages: another message may be inserted here. */
  readonly betweenMessages: boolean
  /** A close frame has begun. */
  readonly closeSeen: boolean
}

const textOpcode = 1
const binaryOpcode = 2
const closeOpcode = 8
const maskBytes = 4

export function createFrameWatch(): FrameWatch {
  // About the current frame: the bytes of its head so far and in all, and its length as far as it is known.
  let headBytes = 0
  let headLength = 2
  // The index in the head where the length ends and the mask begins.
  let lengthEnd = 2
  let opcode = 0
  let length = 0
  let payloadLeft = 0
  let dataSeen = false
  let closeSeen = false
  /** Further frames of the message are to come. */
  let unfinished = false

  function takeHeadByte(byte: number): void {
    headBytes += 1
    if (headBytes === 1) {
      opcode = byte & 0x0f
      if (opcode === closeOpcode) closeSeen = true
      if (opcode < closeOpcode) unfinished = (byte & 0x80) === 0
      return
    }
    if (headBytes === 2) {
      const short = byte & 0x7f
      lengthEnd = 2 + extendedBytes(short)
      headLength = lengthEnd + ((byte & 0x80) === 0 ? 0 : maskBytes)
      length = short < 126 ? short : 0
      return
    }
    if (headBytes <= lengthEnd) length = length * 256 + byte
  }

  function advance(chunk: Uint8Array, start: number): number {
    let index = start
    while (index < chunk.length) {
      if (headBytes < headLength) {
        takeHeadByte(chunk[index] ?? 0)
        index += 1
        if (opcode < closeOpcode) dataSeen = true
        if (headBytes < headLength) continue
        payloadLeft = length
      } else {
        const taken = Math.min(payloadLeft, chunk.length - index)
        payloadLeft -= taken
        index += taken
        if (opcode < closeOpcode) dataSeen = true
      }
      if (payloadLeft > 0) continue
      headBytes = 0
      headLength = 2
      return index
    }
    return index
  }

  return {
    advance,
    sawData(chunk) {
      dataSeen = false
      for (let index = 0; index < chunk.length;) index = advance(chunk, index)
      return dataSeen
    },
    get atBoundary() {
      return headBytes === 0
    },
    get betweenMessages() {
      return headBytes === 0 && !unfinished
    },
    get closeSeen() {
      return closeSeen
    },
  }
}

function extendedBytes(short: number): number {
  if (short === 126) return 2
  return short === 127 ? 8 : 0
}

/** A frame of a server: a text, or bytes. */
export function messageFrame(message: string | Buffer): Buffer {
  const payload = typeof message === 'string' ? Buffer.from(message) : message
  const kind = 0x80 | (typeof message === 'string' ? textOpcode : binaryOpcode)
  const head =
    payload.length < 126
      ? Buffer.from([kind, payload.length])
      : Buffer.from([kind, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, payload])
}

/** A close frame. From a client it is masked; the key is zero, because no intermediary has to be protected here. */
export function closeFrame(code: number, reason: string, from: 'server' | 'client'): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  const head = Buffer.from([0x80 | closeOpcode, payload.length | (from === 'client' ? 0x80 : 0)])
  return Buffer.concat(
    from === 'client' ? [head, Buffer.alloc(maskBytes), payload] : [head, payload],
  )
}
