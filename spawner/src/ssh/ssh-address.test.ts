import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { parseSshAddress, sshAddressOf, sshCommand } from './ssh-address.ts'

describe('the address of SSH', () => {
  it('is a host name, and a port unless it is 22', () => {
    assert.deepEqual(parseSshAddress('ssh.example.com'), { host: 'ssh.example.com', port: 22 })
    assert.deepEqual(parseSshAddress('192.0.2.1:2222'), { host: '192.0.2.1', port: 2222 })
    for (const wrong of ['', 'a b', '-oProxyCommand=x', 'a:0', 'a:65536', 'a:b', 'ssh://a', 'a-'])
      assert.equal(parseSshAddress(wrong), undefined, wrong)
  })

  it('is the host of PUBLIC_URL and SSH_PORT, unless SSH_ADDRESS says otherwise', () => {
    const settings = { SSH_ADDRESS: undefined, SSH_PORT: 2222, PUBLIC_URL: 'https://b.org:8443' }
    assert.deepEqual(sshAddressOf(settings), { host: 'b.org', port: 2222 })
    const told = { host: 'ssh.b.org', port: 22 }
    assert.equal(sshAddressOf({ ...settings, SSH_ADDRESS: told }), told)
    assert.equal(sshAddressOf({ ...settings, SSH_PORT: undefined }), undefined)
    assert.equal(sshAddressOf({ ...settings, PUBLIC_URL: undefined }), undefined)
  })
})

describe('the command', () => {
  it('names person, template, host and port', () => {
    const at = { host: 'b.org', port: 2222 }
    assert.equal(sshCommand('alice', 'lab', at), 'ssh -p 2222 alice+lab@b.org')
    assert.equal(sshCommand('a@c.org', 'lab', { ...at, port: 22 }), 'ssh a@c.org+lab@b.org')
  })

  it('hazard: a name with characters of a shell, or one that looks like an option, is one word', () => {
    for (const name of ["it's; $(id)", '-oProxyCommand=id', 'Bea B']) {
      const command = sshCommand(name, 'lab', { host: 'b.org', port: 22 })
      const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`]).toString()
      assert.equal(words, `ssh\n--\n${name}+lab@b.org\n`)
    }
  })
})
