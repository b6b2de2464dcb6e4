// A resolver that answers every name with the same address, as the resolvers of some providers do to show advertisements.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export interface WildcardDns extends Disposable {
  readonly asked: readonly string[]
}

const classAndType = 4
const headerBytes = 12

export async function startWildcardDns(host: string, answer: string): Promise<WildcardDns> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (question, from) => {
    const name = nameIn(question)
    asked.push(name)
    const end = headerBytes + name.length + 2 + classAndType
    const isAddress = question.readUInt16BE(end - classAndType) === 1
    socket.send(
      answerTo(question.subarray(0, end), isAddress ? answer : undefined),
      from.port,
      from.address,
    )
  })
  socket.on('error', (error) => process.stderr.write(`wildcard resolver: ${error.message}\n`))
  socket.bind(53, host)
  await once(socket, 'listening')
  return { asked, [Symbol.dispose]: () => void socket.close() }
}

function nameIn(question: Buffer): string {
  const labels: string[] = []
  for (let at = headerBytes; ;) {
    const length = question[at] ?? 0
    if (length === 0) return labels.join('.')
    labels.push(question.subarray(at + 1, at + 1 + length).toString('latin1'))
    at += 1 + length
  }
}

/** RFC 1035, 4.1: the question repeated, and for an address one record of four bytes that lives for a minute. */
function answerTo(question: Buffer, address: string | undefined): Buffer {
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(address === undefined ? 0 : 1, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  if (address === undefined) return head
  const record = [0xc0, headerBytes, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]
  return Buffer.concat([head, Buffer.from([...record, ...address.split('.').map(Number)])])
}
