// The engine reads references with distribution/reference, so the grammar is the same.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  canonicalReference,
  familiarName,
  familiarReference,
  isImageReference,
  parseImageReference,
  withTag,
  type ImageReference,
} from './image-reference.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

describe('an image reference', () => {
  const cases: readonly [text: string, parts: ImageReference][] = [
    ['debian', { registry: 'docker.io', repository: 'library/debian' }],
    ['debian:12', { registry: 'docker.io', repository: 'library/debian', tag: '12' }],
    ['library/debian', { registry: 'docker.io', repository: 'library/debian' }],
    ['team/app', { registry: 'docker.io', repository: 'team/app' }],
    [
      'team/sub/app:v1.2_3-4',
      { registry: 'docker.io', repository: 'team/sub/app', tag: 'v1.2_3-4' },
    ],
    ['docker.io/debian', { registry: 'docker.io', repository: 'library/debian' }],
    ['index.docker.io/team/app', { registry: 'docker.io', repository: 'team/app' }],
    ['localhost/app', { registry: 'localhost', repository: 'app' }],
    ['localhost:5000/app', { registry: 'localhost:5000', repository: 'app' }],
    ['registry:5000/app', { registry: 'registry:5000', repository: 'app' }],
    ['127.0.0.1:5000/app:1', { registry: '127.0.0.1:5000', repository: 'app', tag: '1' }],
    ['[2001:db8::1]:5000/app:1', { registry: '[2001:db8::1]:5000', repository: 'app', tag: '1' }],
    ['[2001:db8::1]/app', { registry: '[2001:db8::1]', repository: 'app' }],
    ['r.example.com/team/app', { registry: 'r.example.com', repository: 'team/app' }],
    ['Registry/app', { registry: 'Registry', repository: 'app' }],
    ['app:5000', { registry: 'docker.io', repository: 'library/app', tag: '5000' }],
    [`app@${digest}`, { registry: 'docker.io', repository: 'library/app', digest }],
    [
      `r.example.com:5000/team/app:1@${digest}`,
      { registry: 'r.example.com:5000', repository: 'team/app', tag: '1', digest },
    ],
  ]
  for (const [text, parts] of cases)
    it(`is split into its parts: ${text.replace(digest, 'sha256:0123...')}`, () => {
      assert.deepEqual(parseImageReference(text), parts)
    })

  it('is told from a text that an engine would refuse', () => {
    for (const [text] of cases) assert.ok(isImageReference(text), text)
    for (const text of [
      '1.10',
      '010',
      'a/b_c__d---e.f',
      'Registry.example.com/a',
      digest,
      'a:_x.Y',
    ])
      assert.ok(isImageReference(text), text)
    const wrong =
      'https://r.example.com/app|app:|a//b|/app|app/|a:b:c|App|a/-b|a/b-|a..b|a___b|a:.t|a:-t|a b|[::1|a@sha256:12|a@md5:0|a@|:1|r.example.com:5000/|r.example.com:/a|-r/a'
    for (const text of [...wrong.split('|'), '', `a:${'t'.repeat(129)}`, 'a'.repeat(513)])
      assert.ok(!isImageReference(text), text)
  })

  it('has one canonical text for all its spellings', () => {
    for (const text of ['hello', 'hello:latest', 'library/hello', 'index.docker.io/library/hello'])
      assert.equal(canonicalReference(text), 'docker.io/library/hello:latest')
    assert.equal(canonicalReference(`team/app@${digest}`), `docker.io/team/app@${digest}`)
    assert.equal(
      canonicalReference(`localhost:5000/app:1@${digest}`),
      `localhost:5000/app:1@${digest}`,
    )
  })

  it('has the text by which the engine lists it', () => {
    assert.equal(familiarReference('docker.io/library/hello'), 'hello:latest')
    assert.equal(familiarReference('library/hello:2'), 'hello:2')
    assert.equal(familiarReference('docker.io/team/app'), 'team/app:latest')
    assert.equal(
      familiarReference('r.example.com:5000/library/app'),
      'r.example.com:5000/library/app:latest',
    )
    assert.equal(familiarName(`docker.io/library/hello:1@${digest}`), 'hello')
  })

  it('gets the tag latest if it names neither tag nor digest', () => {
    assert.equal(withTag('localhost:5000/app'), 'localhost:5000/app:latest')
    for (const text of ['app:1', `app@${digest}`, `r.example.com:5000/app:1@${digest}`])
      assert.equal(withTag(text), text)
  })
})
