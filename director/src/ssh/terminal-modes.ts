// The modes of a client's terminal (RFC 4254, section 8): where they are in a request, and what they are for stty(1). Pure.

/** What the terminal acts on. */
const characters: ReadonlyMap<number, string> = new Map([
  [1, 'intr'],
  [2, 'quit'],
  [3, 'erase'],
  [4, 'kill'],
  [5, 'eof'],
  [6, 'eol'],
  [7, 'eol2'],
  [8, 'start'],
  [9, 'stop'],
  [10, 'susp'],
  [12, 'rprnt'],
  [13, 'werase'],
  [14, 'lnext'],
])
/** By the opcode of the first one of each row. */
const flagRows: readonly (readonly [first: number, words: string])[] = [
  [30, 'ignpar parmrk inpck istrip inlcr igncr icrnl iuclc ixon ixany ixoff imaxbel iutf8'],
  [50, 'isig icanon'],
  [53, 'echo echoe echok echonl noflsh tostop iexten echoctl echoke'],
  [70, 'opost olcuc onlcr ocrnl onocr onlret'],
]
const flags: ReadonlyMap<number, string> = new Map(
  flagRows.flatMap(([first, words]) =>
    words.split(' ').map((word, index) => [first + index, word] as const),
  ),
)
const isOff = 255
/** Those above have no value of four bytes, and end the list. */
const lastOpcode = 159

export function sttyWords(modes: Buffer): string[] {
  const words: string[] = []
  for (let at = 0; at + 5 <= modes.length; at += 5) {
    const opcode = modes.readUInt8(at)
    if (opcode === 0 || opcode > lastOpcode) break
    const value = modes.readUInt32BE(at + 1)
    const flag = flags.get(opcode)
    if (flag !== undefined) words.push(`${value === 0 ? '-' : ''}${flag}`)
    const character = characters.get(opcode)
    if (character === undefined || value > isOff) continue
    // Of one digit it would be the character itself.
    words.push(character, value === isOff ? 'undef' : String(value).padStart(3, '0'))
  }
  return words
}

const channelRequest = 98
const request = 'pty-req'
/** Message, channel, length of the name. */
const nameAt = 9
/** The name, and whether an answer is wanted. */
const termAt = nameAt + request.length + 1
/** Columns, rows, width, height. */
const sizeLength = 16

/**
 * @param payload of any message
 * @returns `undefined` unless it asks for a terminal
 */
export function modesIn(payload: Buffer): Buffer | undefined {
  const isRequest =
    payload[0] === channelRequest &&
    payload.subarray(nameAt - 4, nameAt).equals(lengthOfRequest) &&
    payload.toString('latin1', nameAt, nameAt + request.length) === request
  if (!isRequest || payload.length < termAt + 4) return undefined
  const at = termAt + 4 + payload.readUInt32BE(termAt) + sizeLength
  if (payload.length < at + 4) return undefined
  // The payload is overwritten by the next one.
  return Buffer.from(payload.subarray(at + 4, at + 4 + payload.readUInt32BE(at)))
}

const lengthOfRequest = Buffer.from([0, 0, 0, request.length])
