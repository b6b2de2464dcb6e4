// Headers of the PROXY protocol, version 2, as an edge writes them.

/** @param header `source` has 4 or 16 bytes; `fields` follow the addresses */
export function binaryHeader(header: {
  readonly source: readonly number[]
  readonly command?: number
  readonly family?: number
  readonly fields?: Buffer
}): Buffer {
  const { source, command = 0x21, fields = Buffer.alloc(0) } = header
  const { family = source.length === 4 ? 0x11 : 0x21 } = header
  const destination = source.map(() => 0)
  const body = Buffer.concat([
    Buffer.from([...source, ...destination, 0x80, 1, 0x15, 0x38]),
    fields,
  ])
  const fixed = Buffer.alloc(16)
  fixed.write('\r\n\r\n\0\r\nQUIT\n', 'latin1')
  fixed.writeUInt8(command, 12)
  fixed.writeUInt8(family, 13)
  fixed.writeUInt16BE(body.length, 14)
  return Buffer.concat([fixed, body])
}

/** As of HAProxy with `send-proxy-v2-ssl-cn`. */
export function certificateField(name: string, { flags = 0x07, verify = 0 } = {}): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(flags, 0)
  head.writeUInt32BE(verify, 1)
  return field(
    0x20,
    Buffer.concat([head, field(0x21, Buffer.from('TLSv1.3')), field(0x22, Buffer.from(name))]),
  )
}

function field(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3)
  head.writeUInt8(type, 0)
  head.writeUInt16BE(value.length, 1)
  return Buffer.concat([head, value])
}
