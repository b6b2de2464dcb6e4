// Repairs the head of an answer where RFC 9112 lets a proxy do so, before the parser sees it: lines that end in a line
// feed alone (2.2), folded headers (5.2), blanks before a colon (5.1), and the same length several times (6.3). It leaves out
// a `100 Continue`, which no request of the director asks for: RFC 9110, 15.2, lets a client skip it, and undici would end the
// connection. The parser stays strict, so it alone decides what the message is. The connection of a repaired answer is not
// used again.
import type { Socket } from 'node:net'
import { MalformedAnswer } from './malformed-answer.ts'

/** No server needs more interim answers. What follows them is passed on as it is. */
const interimLimit = 32

/**
 * Repairs the answers of a new connection up to its first final head. An answer on a connection that has been used needs
 * no repair: its server has written a head before.
 *
 * undici takes all bytes by `read()`, so that is what is replaced, and only until that head has passed.
 */
export function repairFirstAnswer(socket: Socket, maxHeadBytes: number): void {
  let held: Buffer = Buffer.alloc(0)
  let heads = 0
  const readAsItIs = socket.read.bind(socket) as () => Buffer | null

  function passOn(bytes: Buffer): Buffer {
    // Set, not deleted: V8 looks up every property of an object slowly from which one was deleted.
    socket.read = readAsItIs
    return bytes
  }

  function repaired(): Buffer | null {
    const passed: Buffer[] = []
    for (;;) {
      const end = endOfHead(held)
      if (end === undefined) {
        if (mayBecomeHead(held, maxHeadBytes))
          return passed.length === 0 ? null : Buffer.concat(passed)
        return passOn(Buffer.concat([...passed, held]))
      }
      const head = held.subarray(0, end)
      if (!isContinue(head)) passed.push(repairHead(head) ?? head)
      held = held.subarray(end)
      heads += 1
      if (!isInterim(head) || heads > interimLimit) return passOn(Buffer.concat([...passed, held]))
    }
  }

  socket.read = () => {
    try {
      for (let chunk = readAsItIs(); chunk !== null; chunk = readAsItIs()) {
        held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
        const bytes = repaired()
        if (bytes !== null) return bytes
      }
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined)
    }
    return null
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** Where the blank line after the headers ends. It looks no further: many interim answers may be in one chunk. */
function endOfHead(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1)) {
    const next = bytes[at + 1] === carriageReturn ? at + 2 : at + 1
    if (bytes[next] === lineFeed) return next + 1
  }
  return undefined
}

const statusLine = /^HTTP\/1\.\d /

/** What is no answer of HTTP at all is for the parser to refuse at once: its server may wait for more, and say nothing. */
function mayBecomeHead(bytes: Buffer, maxBytes: number): boolean {
  const begin = 'HTTP/1.'
  return bytes.length <= maxBytes && begin.startsWith(bytes.toString('latin1', 0, begin.length))
}

const isInterim = (head: Buffer) => /^HTTP\/1\.\d 1(?!01)/.test(beginOf(head))
const isContinue = (head: Buffer) => /^HTTP\/1\.\d 100/.test(beginOf(head))
const beginOf = (head: Buffer) => head.toString('latin1', 0, 12)

interface Field {
  readonly name: string
  readonly value: string
}

/**
 * @param head from the status line to the blank line
 * @returns `undefined` if there is nothing to repair, or nothing that may be repaired
 * @throws MalformedAnswer for a head that two readers could understand differently
 */
export function repairHead(head: Buffer): Buffer | undefined {
  const text = head.toString('latin1')
  if (!statusLine.test(text)) return undefined
  const [status = '', ...lines] = text.split('\n').map(withoutCarriageReturn)
  // The last two are the blank line, and what is after it.
  const fields = fieldsOf(lines.slice(0, -2))
  if (fields === undefined) return undefined
  const lengths = lengthsOf(fields)
  const [length] = lengths
  const written = fields.map(({ name, value }) => `${name}:${value}`)
  const isPlain = text === [status, ...written, '', ''].join('\r\n')
  if (isPlain && lengths.length < 2) return undefined
  const kept = fields.filter(
    (field, index) => !isLength(field) || index === fields.findIndex(isLength),
  )
  const headers = kept.map((field) =>
    isLength(field) && length !== undefined
      ? `${field.name}: ${length}`
      : `${field.name}:${field.value}`,
  )
  // After an interim answer the connection goes on: the final one says whether it ends.
  const first = isInterim(head) ? [status] : [status, 'Connection: close']
  return Buffer.from([...first, ...headers, '', ''].join('\r\n'), 'latin1')
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** Values keep the blanks around them. @returns `undefined` for a line that is no header, and continues none */
function fieldsOf(lines: readonly string[]): readonly Field[] | undefined {
  const fields: { readonly name: string; readonly parts: string[] }[] = []
  for (const line of lines) {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const last = fields.at(-1)
      if (last === undefined) return undefined
      last.parts.push(line)
      continue
    }
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).trimEnd()
    if (name === '') return undefined
    fields.push({ name, parts: [line.slice(colon + 1)] })
  }
  return fields.map(({ name, parts: [first = '', ...others] }) => ({
    name,
    value:
      others.length === 0
        ? first
        : [first.trimEnd(), ...others.map((part) => part.trim())].join(' '),
  }))
}

const isNamed = (name: string) => (field: Field) => field.name.toLowerCase() === name
const isLength = isNamed('content-length')

/** @returns each length that the head has; they are all the same */
function lengthsOf(fields: readonly Field[]): readonly string[] {
  const lengths = fields
    .filter(isLength)
    .flatMap(({ value }) => value.split(','))
    .map((value) => value.trim())
  const [first] = lengths
  if (first === undefined) return []
  if (fields.some(isNamed('transfer-encoding')))
    throw new MalformedAnswer('It has a length and chunks at once', '')
  const other = lengths.find((length) => length !== first)
  if (other !== undefined)
    throw new MalformedAnswer(`It has different lengths, ${first} and ${other}`.slice(0, 80), '')
  if (!/^\d+$/.test(first)) throw new MalformedAnswer('Its length is not a number', first)
  return lengths
}
