import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback } from './loopback.ts'

test('recognises names and addresses of this machine', () => {
  for (const url of [
    'http://localhost:4180',
    'http://LOCALHOST',
    'http://localhost.:4180',
    'https://portal.localhost',
    'http://127.0.0.1:1',
    'http://127.1.2.3',
    'http://0x7f000001',
    'http://[::1]:4180',
  ]) {
    assert.equal(isLoopback(url), true, url)
  }
})

test('does not accept a public name that looks similar', () => {
  for (const url of [
    'https://berth.example.com',
    'http://localhost.example.com',
    'http://notlocalhost',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
    'http://0.0.0.0',
    'http://[::]',
    'http://localhost@example.com',
    'localhost',
    '',
  ]) {
    assert.equal(isLoopback(url), false, url)
  }
})
