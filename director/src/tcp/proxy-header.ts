// The header of the PROXY protocol, version 1 and 2, by which an edge tells whom it forwards: pure.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
import { isIP } from 'node:net'
import { plainAddress } from '@berth/shared/networks'

export type ProxyHeader =
  | { readonly status: 'incomplete' }
  /** `why` continues a sentence that begins with "the header". */
  | { readonly status: 'malformed'; readonly why: string }
  | {
      readonly status: 'complete'
      /** The length of the header: the bytes of the client follow. */
      readonly bytes: number
      /** Absent: the edge itself connects, for a health check. */
      readonly client?: ProxiedClient
    }

export interface ProxiedClient {
  readonly address: string
  /** The name in the certificate of the client, which the edge has verified. */
  readonly certificateName?: string
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const first = Buffer.from('PROXY ', 'latin1')
/** With its line end, as the specification has it. */
const longestLine = 107
const fixedLength = 16
/** The specification allows 64 KiB. No edge sends nearly as much, and so much is kept until it is complete. */
const longestBinary = 4_096

const incomplete: ProxyHeader = { status: 'incomplete' }
const malformed = (why: string): ProxyHeader => ({ status: 'malformed', why })

/** @param bytes what has come from the connection so far */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, signature)) return readBinary(bytes)
  if (begins(bytes, first)) return readLine(bytes)
  return malformed('is missing')
}

/** As far as the bytes go. */
function begins(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length)
  return bytes.subarray(0, length).equals(expected.subarray(0, length))
}

function readLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n')
  if (end === -1) return bytes.length < longestLine ? incomplete : malformed('is too long')
  const [, protocol, source = '', destination = '', ...ports] = bytes
    .toString('latin1', 0, end)
    .split(' ')
  if (protocol === 'UNKNOWN') return { status: 'complete', bytes: end + 2 }
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : undefined
  const isWhole = ports.length === 2 && ports.every(isPort)
  if (
    family === undefined ||
    ![source, destination].every((text) => isOf(family, text)) ||
    !isWhole
  )
    return malformed('is not of version 1')
  return { status: 'complete', bytes: end + 2, client: { address: plainAddress(source) } }
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535

/** A zone, as in `fe80::1%eth0`, is none of the specification. */
const isOf = (family: number, text: string): boolean => isIP(text) === family && !text.includes('%')

const commands = { local: 0x20, proxy: 0x21 } as const
const families = { tcp4: 0x11, tcp6: 0x21 } as const

function readBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < fixedLength) return incomplete
  const length = bytes.readUInt16BE(14)
  if (length > longestBinary) return malformed('is too long')
  if (bytes.length < fixedLength + length) return incomplete
  const complete = { status: 'complete', bytes: fixedLength + length } as const
  const [command, family] = [bytes[12], bytes[13]]
  if (command === commands.local) return complete
  if (command !== commands.proxy) return malformed('is not of version 2')
  const rest = bytes.subarray(fixedLength, fixedLength + length)
  const addresses = family === families.tcp4 ? 12 : family === families.tcp6 ? 36 : undefined
  if (addresses === undefined) return malformed('tells no address of TCP')
  if (length < addresses) return malformed('is too short')
  const address =
    family === families.tcp4 ? rest.subarray(0, 4).join('.') : plainAddress(textOf(rest))
  const fields = readFields(rest.subarray(addresses))
  if (fields === undefined) return malformed('has a field that is longer than the header')
  const name = nameIn(fields)
  return {
    ...complete,
    client: { address, ...(name === undefined ? {} : { certificateName: name }) },
  }
}

const textOf = (bytes: Buffer): string =>
  Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':')

type Fields = ReadonlyMap<number, Buffer>

/** @returns `undefined` if a field does not fit in. The last one of a type counts. */
function readFields(bytes: Buffer): Fields | undefined {
  const fields = new Map<number, Buffer>()
  for (let at = 0; at < bytes.length;) {
    if (at + 3 > bytes.length) return undefined
    const end = at + 3 + bytes.readUInt16BE(at + 1)
    if (end > bytes.length) return undefined
    fields.set(bytes.readUInt8(at), bytes.subarray(at + 3, end))
    at = end
  }
  return fields
}

const tls = { field: 0x20, name: 0x22, overTls: 0x01, withCertificate: 0x02 | 0x04, headLength: 5 }

/** `send-proxy-v2-ssl-cn` of HAProxy: a byte of flags, four bytes that are zero if the certificate was verified, fields. */
function nameIn(fields: Fields): string | undefined {
  const field = fields.get(tls.field)
  if (field === undefined || field.length < tls.headLength) return undefined
  const flags = field.readUInt8(0)
  const isShown = (flags & tls.overTls) !== 0 && (flags & tls.withCertificate) !== 0
  if (!isShown || field.readUInt32BE(1) !== 0) return undefined
  return readFields(field.subarray(tls.headLength))?.get(tls.name)?.toString('utf8')
}
