// The frames of the connection that carries one session in a container between director and spawner: type (1 byte), length
// (4 bytes, big-endian), payload. Pure. docs/architecture.md#a-session-in-a-container describes the exchange.

/** The numbers are on the wire, so none is ever given another meaning. */
export const frameTypes = {
  /** Director: what to run (JSON). The first frame. */
  order: 1,
  /** Spawner: it runs. */
  opened: 2,
  /** Spawner: why it does not run (JSON, a problem). The last frame. */
  refused: 3,
  /** Director: bytes for the input. */
  input: 4,
  /** Spawner: bytes of the output, and of the errors. */
  output: 5,
  errors: 6,
  /** Director: the input has ended. The output goes on. */
  inputEnd: 7,
  /** Director: the terminal has another size (two numbers of 16 bits: columns, rows). */
  resize: 8,
  /** Both: the other side may send so many bytes more (32 bits). */
  window: 9,
  /** Spawner: the process has ended, and all output is sent (32 bits: the exit code). The last frame. */
  exit: 10,
  /** Director: a signal for every process of the session (its name, without SIG). */
  signal: 11,
} as const
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes]

export interface Frame {
  readonly type: number
  readonly payload: Buffer
}

/** What either side may send before the first `window` frame. Also the most that a receiver ever has to keep. */
export const firstWindow = 256 * 1024
/** A longer frame is a fault of the sender. An order holds a whole command. */
export const longestPayload = 256 * 1024
const headLength = 5

export function encodeFrame(type: FrameType, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(headLength + payload.length)
  frame.writeUInt8(type)
  frame.writeUInt32BE(payload.length, 1)
  frame.set(payload, headLength)
  return frame
}

/**
 * Reads frames as they arrive, cut anywhere. Each call returns the frames that its chunk completes.
 *
 * @throws RangeError for a frame that is too long
 */
export function createFrameReader(): (chunk: Buffer) => readonly Frame[] {
  let parts: Buffer[] = []
  let kept = 0

  return (chunk) => {
    parts.push(chunk)
    kept += chunk.length
    const frames: Frame[] = []
    for (;;) {
      if (kept < headLength) return frames
      // A frame in many chunks is put together once, when all of it is there.
      const [first = Buffer.alloc(0)] = parts
      if (first.length < headLength) parts = [Buffer.concat(parts)]
      const head = parts[0] ?? first
      const length = head.readUInt32BE(1)
      if (length > longestPayload) throw new RangeError(`a frame of ${length} bytes is too long`)
      const end = headLength + length
      if (kept < end) return frames
      const whole = parts.length === 1 ? head : Buffer.concat(parts)
      frames.push({ type: whole.readUInt8(), payload: whole.subarray(headLength, end) })
      kept -= end
      parts = kept === 0 ? [] : [whole.subarray(end)]
    }
  }
}

/** The signals that a client may send. */
export const sessionSignals = [
  'ABRT',
  'ALRM',
  'HUP',
  'INT',
  'KILL',
  'PIPE',
  'QUIT',
  'TERM',
  'USR1',
  'USR2',
] as const
export type SessionSignal = (typeof sessionSignals)[number]

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export function encodeSize({ columns, rows }: TerminalSize): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt16BE(columns)
  payload.writeUInt16BE(rows, 2)
  return payload
}

export function decodeSize(payload: Buffer): TerminalSize | undefined {
  return payload.length === 4
    ? { columns: payload.readUInt16BE(), rows: payload.readUInt16BE(2) }
    : undefined
}

export function encodeNumber(value: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt32BE(value >>> 0)
  return payload
}

export function decodeNumber(payload: Buffer): number | undefined {
  return payload.length === 4 ? payload.readUInt32BE() : undefined
}
