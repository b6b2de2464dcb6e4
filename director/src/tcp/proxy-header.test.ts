import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readProxyHeader } from './proxy-header.ts'
import { binaryHeader, certificateField } from './testing/proxy-headers.ts'

const line = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'))

describe('the header of the PROXY protocol', () => {
  it('of version 1 tells the address of the client', () => {
    assert.deepEqual(line('PROXY TCP4 192.0.2.7 10.0.0.1 51000 5432\r\nhello'), {
      status: 'complete',
      bytes: 42,
      client: { address: '192.0.2.7' },
    })
    assert.deepEqual(line('PROXY TCP6 2001:db8::7 ::1 51000 5432\r\n'), {
      status: 'complete',
      bytes: 39,
      client: { address: '2001:db8::7' },
    })
  })

  it('of version 2 tells the address of the client', () => {
    const four = binaryHeader({ source: [192, 0, 2, 7] })
    assert.deepEqual(readProxyHeader(Buffer.concat([four, Buffer.from('hello')])), {
      status: 'complete',
      bytes: 28,
      client: { address: '192.0.2.7' },
    })
    const source = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]
    const six = readProxyHeader(binaryHeader({ source }))
    assert.deepEqual('client' in six && six.client, { address: '2001:db8:0:0:0:0:0:7' })
  })

  it('tells of no client if the edge itself connects', () => {
    assert.deepEqual(line('PROXY UNKNOWN\r\n'), { status: 'complete', bytes: 15 })
    const local = binaryHeader({ source: [1, 2, 3, 4], command: 0x20 })
    assert.deepEqual(readProxyHeader(local), { status: 'complete', bytes: 28 })
  })

  it('tells an IPv4 address as such, also in the form of IPv6', () => {
    for (const text of ['::ffff:192.0.2.7', '::ffff:c000:207']) {
      const read = line(`PROXY TCP6 ${text} ::1 1 2\r\n`)
      assert.deepEqual('client' in read && read.client, { address: '192.0.2.7' }, text)
    }
    const source = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7]
    const read = readProxyHeader(binaryHeader({ source }))
    assert.deepEqual('client' in read && read.client, { address: '192.0.2.7' })
  })

  it('may come byte by byte', () => {
    const headers = [
      Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 51000 5432\r\n'),
      binaryHeader({ source: [192, 0, 2, 7], fields: certificateField('ann') }),
    ]
    for (const header of headers) {
      for (let length = 0; length < header.length; length += 1)
        assert.equal(readProxyHeader(header.subarray(0, length)).status, 'incomplete', `${length}`)
      assert.equal(readProxyHeader(header).status, 'complete')
    }
  })

  it('tells the name of a certificate that the edge has verified', () => {
    const named = (fields: Buffer) => {
      const read = readProxyHeader(binaryHeader({ source: [192, 0, 2, 7], fields }))
      return 'client' in read ? read.client?.certificateName : read.status
    }
    assert.equal(named(certificateField('ann')), 'ann')
    assert.equal(named(certificateField('änn')), 'änn')
    assert.equal(named(certificateField('ann', { verify: 1 })), undefined)
    assert.equal(named(certificateField('ann', { flags: 0x01 })), undefined)
    assert.equal(named(certificateField('ann', { flags: 0x06 })), undefined)
    assert.equal(named(Buffer.from([0x20, 0, 2, 7, 0])), undefined)
  })

  it('hazard: a malformed header is refused, and never taken for the bytes of a client', () => {
    const wrong = [
      'GET / HTTP/1.1\r\n',
      'PROXY TCP4 192.0.2.7 10.0.0.1 51000\r\n',
      'PROXY TCP4 2001:db8::7 ::1 1 2\r\n',
      'PROXY TCP4 192.0.2.7 10.0.0.1 x 5432\r\n',
      'PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n',
      'PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n',
      'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
      'PROXY  TCP4 192.0.2.7 10.0.0.1 1 2\r\n',
      'PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n',
      `PROXY TCP4 ${'1'.repeat(120)}`,
      'proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n',
    ]
    for (const text of wrong) assert.equal(line(text).status, 'malformed', text)
    const source = [192, 0, 2, 7]
    const binaries = [
      binaryHeader({ source, command: 0x22 }),
      binaryHeader({ source, command: 0x11 }),
      binaryHeader({ source, family: 0x12 }),
      binaryHeader({ source, family: 0x31 }),
      binaryHeader({ source, family: 0x21 }),
      binaryHeader({ source, fields: Buffer.from([0x20, 0, 9, 1]) }),
      binaryHeader({ source, fields: Buffer.from([0x20, 0]) }),
      binaryHeader({ source, fields: Buffer.alloc(5_000) }),
    ]
    for (const [index, bytes] of binaries.entries())
      assert.equal(readProxyHeader(bytes).status, 'malformed', `binary ${index}`)
  })

  it('hazard: whatever comes is read without an exception, and never beyond its end', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const bytes = (length: number) =>
      fc.array(byte, { maxLength: length }).map((all) => Buffer.from(all))
    const source = fc.oneof(
      fc.array(byte, { minLength: 4, maxLength: 4 }),
      fc.array(byte, { minLength: 16, maxLength: 16 }),
    )
    const words = fc.constantFrom('TCP4', 'TCP6', 'UNKNOWN', '1.2.3.4', '::1', '99999', '80', '')
    const lines = fc
      .array(words, { maxLength: 8 })
      .map((all) => Buffer.from(`PROXY ${all.join(' ')}\r\n`, 'latin1'))
    const binaries = fc
      .tuple(source, bytes(300))
      .map(([from, fields]) => binaryHeader({ source: from, fields }))
    const named = fc
      .tuple(source, fc.string({ unit: 'binary', maxLength: 80 }))
      .map(([from, name]) => binaryHeader({ source: from, fields: certificateField(name) }))
    const whole = fc.oneof(lines, binaries, named)
    const mutated = fc
      .tuple(whole, fc.array(fc.tuple(fc.nat(), byte), { maxLength: 4 }), bytes(20))
      .map(([header, changes, more]) => {
        const changed = Buffer.concat([header, more])
        for (const [at, value] of changes) changed[at % changed.length] = value
        return changed
      })
    fc.assert(
      fc.property(fc.oneof(whole, mutated, bytes(200)), (all) => {
        const read = readProxyHeader(all)
        if (read.status !== 'complete') return
        assert.ok(read.bytes <= all.length)
        if (read.client !== undefined) assert.notEqual(isIP(read.client.address), 0)
        // The same header, whatever follows it and however it was split.
        assert.deepEqual(readProxyHeader(all.subarray(0, read.bytes)), read)
        const part = all.subarray(0, Math.floor((read.bytes * all.length) / (all.length + 1)))
        assert.equal(readProxyHeader(part).status, 'incomplete')
      }),
      { numRuns: 1_000 },
    )
  })
})
