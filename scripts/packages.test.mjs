// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enginePackages } from './engine.mjs'
import { keepAptSettings } from './host-trust.mjs'
import { parseDistribution, pickMirror } from './packages.mjs'

test('reads a distribution with and without quotes', () => {
  assert.deepEqual(parseDistribution('ID=debian\nVERSION_CODENAME=bookworm\n'), {
    id: 'debian',
    codename: 'bookworm',
  })
  assert.deepEqual(parseDistribution('NAME="Ubuntu"\nID="ubuntu"\nVERSION_CODENAME="noble"\n'), {
    id: 'ubuntu',
    codename: 'noble',
  })
})

test('takes the mirror of the main component, not of updates or third parties', () => {
  const targets = [
    'https://packages.example.org/apt/|stable|main|/etc/apt/keyrings/other.gpg',
    'http://mirror.example.org/debian/|bookworm-updates|main|$(SIGNED_BY)',
    'http://mirror.example.org/debian/|bookworm|contrib|$(SIGNED_BY)',
    'http://mirror.example.org/debian/|bookworm|main|/usr/share/keyrings/mine.gpg',
  ].join('\n')
  assert.deepEqual(pickMirror(targets, 'bookworm'), {
    uri: 'http://mirror.example.org/debian/',
    suite: 'bookworm',
    keyring: '/usr/share/keyrings/mine.gpg',
  })
  assert.equal(pickMirror(targets, 'trixie'), undefined)
})

test('checks a source without a keyring against the keyring of the distribution', () => {
  const mirror = pickMirror(
    'http://mirror.example.org/debian/|bookworm|main|$(SIGNED_BY)',
    'bookworm',
  )
  assert.equal(mirror?.keyring, '/usr/share/keyrings/debian-archive-keyring.gpg')
})

test('takes Docker from trixie on bookworm, from the distribution itself on later ones, and not at all on older ones', () => {
  assert.equal(enginePackages({ id: 'debian', codename: 'bookworm' })?.suite, 'trixie')
  assert.equal(enginePackages({ id: 'debian', codename: 'trixie' })?.suite, undefined)
  assert.ok(enginePackages({ id: 'debian', codename: 'trixie' }))
  assert.equal(enginePackages({ id: 'debian', codename: 'bullseye' }), undefined)
  assert.equal(enginePackages({ id: 'fedora', codename: '' }), undefined)
  assert.ok(
    enginePackages({ id: 'ubuntu', codename: 'noble' })?.packages.includes('docker-compose-v2'),
  )
})

test('takes over only the settings of apt that decide whether its mirror can be used', () => {
  const dump = [
    'Acquire "";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::http "";',
    'Acquire::http::Proxy "";',
    'Acquire::https::Proxy "http://proxy.example.org:3128";',
    'Acquire::Languages "none";',
  ].join('\n')
  assert.deepEqual(keepAptSettings(dump), [
    'Acquire::Check-Valid-Until "false";',
    'Acquire::https::Proxy "http://proxy.example.org:3128";',
  ])
})
