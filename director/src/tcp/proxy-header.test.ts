import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
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
})
