import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createIdentify } from './identify.ts'

const names = {
  identityHeader: 'X-Forwarded-Preferred-Username',
  subjectHeader: 'X-Forwarded-User',
  groupsHeader: 'X-Forwarded-Groups',
  emailHeader: 'X-Forwarded-Email',
  subjectRequired: false,
}
const secretText = 'sixteen characters'
const open = createIdentify({ ...names, secret: undefined })
const guarded = createIdentify({ ...names, secret: new Secret(secretText) })

const user = 'X-Forwarded-Preferred-Username'
const subject = 'X-Forwarded-User'
const groups = 'X-Forwarded-Groups'
const email = 'X-Forwarded-Email'
/** The bytes of UTF-8 as Node gives them. */
const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1')
const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`

const strict = createIdentify({
  ...names,
  secret: new Secret(secretText),
  subjectRequired: true,
})

function codeOf(rawHeaders: readonly string[], identify = open): string {
  const result = identify(rawHeaders)
  return result.ok ? result.person.name : result.code
}

describe('an identity', () => {
  it('has name, subject, groups and e-mail address', () => {
    assert.deepEqual(
      open([
        user,
        'alice',
        subject,
        'u:1',
        groups,
        ' staff , ,admins',
        email,
        'a@b.c',
        'Host',
        'h',
      ]),
      {
        ok: true,
        person: { name: 'alice', subject: 'u:1', groups: ['staff', 'admins'], email: 'a@b.c' },
        proof: 'none',
      },
    )
  })

  it('is never that of a guest: names that begin with guest-- are refused', () => {
    for (const name of ['guest--', 'guest--0abcdefghi', 'guest--ann'])
      assert.equal(codeOf([user, name, subject, 'u-1']), 'identity_invalid', name)
    for (const name of ['guest', 'guest-ann', 'Guest--ann', 'a guest--ann'])
      assert.equal(codeOf([user, name, subject, 'u-1']), name)
  })

  it('needs a subject if the gateway sends one with every request, so that every home has an owner’s subject', () => {
    const proven = ['Berth-Gateway-Secret', secretText, user, 'alice']
    assert.equal(codeOf(proven, strict), 'identity_missing')
    assert.equal(codeOf([...proven, subject, ''], strict), 'identity_missing')
    assert.equal(codeOf([...proven, subject, 'u-1'], strict), 'alice')
    assert.equal(codeOf(proven, guarded), 'alice')
    const unguarded = createIdentify({ ...names, secret: undefined, subjectRequired: true })
    assert.equal(codeOf([user, 'alice'], unguarded), 'identity_missing')
    assert.equal(codeOf([user, 'alice', subject, ''], unguarded), 'identity_missing')
    assert.equal(codeOf([user, 'alice', subject, 'u-1'], unguarded), 'alice')
  })

  it('without a subject is refused with the header and the settings that an administrator needs', () => {
    const result = strict(['Berth-Gateway-Secret', secretText, user, 'alice'])
    assert.ok(!result.ok)
    for (const word of ['X-Forwarded-User', 'SUBJECT_HEADER', 'SUBJECT_REQUIRED=false'])
      assert.ok(result.detail.includes(word), word)
  })

  it('without a user name is refused with the header that was read and the setting that names another', () => {
    for (const [rawHeaders, words] of [
      [[], [user, 'preferred_username', 'IDENTITY_HEADER', 'X-Forwarded-Email']],
      [
        [email, 'a@b.c', subject, 'u-1'],
        [user, 'IDENTITY_HEADER', `${email} or ${subject}`],
      ],
      [
        [user, '', email, 'a@b.c'],
        [user, 'IDENTITY_HEADER', `(${email})`],
      ],
    ] as const) {
      const result = open(rawHeaders)
      assert.ok(!result.ok)
      assert.equal(result.code, 'identity_missing')
      for (const word of words) assert.ok(result.detail.includes(word), `${word}: ${result.detail}`)
      assert.doesNotMatch(result.detail, /sign in|a@b/)
    }
  })

  it('may have any number of groups, of any length: those that nobody asks for shut no person out', () => {
    const many = Array.from({ length: 5_000 }, (_, at) => `group-${at}`)
    const result = open([user, 'alice', groups, [...many, 'x'.repeat(2_000)].join(',')])
    assert.equal(result.ok && result.person.groups.length, 5_001)
  })

  it('needs no more than the name', () => {
    const person = { name: 'alice', subject: '', groups: [] }
    assert.deepEqual(open([user, 'alice']), { ok: true, person, proof: 'none' })
    assert.deepEqual(open([user, 'alice', subject, '', groups, '', email, '']), {
      ok: true,
      person,
      proof: 'none',
    })
  })

  it('is read from bytes of UTF-8', () => {
    const result = open([user, bytes('müller'), subject, bytes('ü'), groups, bytes('größe,ß')])
    assert.ok(result.ok)
    assert.deepEqual(result.person, { name: 'müller', subject: 'ü', groups: ['größe', 'ß'] })
  })

  for (const [hazard, rawHeaders, code] of [
    ['no name', [], 'identity_missing'],
    ['an empty name', [user, ''], 'identity_missing'],
    ['a name twice', [user, 'alice', user, 'alice'], 'identity_ambiguous'],
    ['a name twice, once empty', [user, 'alice', user, ''], 'identity_ambiguous'],
    [
      'a name twice in another case',
      [user, 'alice', user.toUpperCase(), 'b'],
      'identity_ambiguous',
    ],
    ['names joined by a comma', [user, 'alice, bob'], 'identity_ambiguous'],
    ['a name of blanks', [user, '   '], 'identity_invalid'],
    ['a name with a tab', [user, 'al\tice'], 'identity_invalid'],
    ['a name that is no UTF-8', [user, 'm\xfcller'], 'identity_invalid'],
    ['an overlong spelling of /', [user, '\xc0\xaf'], 'identity_invalid'],
    ['a surrogate in UTF-8', [user, '\xed\xa0\x80'], 'identity_invalid'],
    ['a byte order mark', [user, bytes('\ufeffalice')], 'identity_invalid'],
    ['a C1 control', [user, bytes('a\u0085b')], 'identity_invalid'],
    ['a mark that reorders text', [user, bytes('\u202ealice')], 'identity_invalid'],
    ['a name of 257 characters', [user, 'a'.repeat(257)], 'identity_invalid'],
    ['two subjects', [user, 'alice', subject, 'a', subject, 'a'], 'identity_ambiguous'],
    ['subjects joined', [user, 'alice', subject, 'a,b'], 'identity_ambiguous'],
    ['a subject that is no UTF-8', [user, 'alice', subject, '\xff'], 'identity_invalid'],
    ['a subject with a tab', [user, 'alice', subject, 'a\tb'], 'identity_invalid'],
    [
      'a subject of 1025 characters',
      [user, 'alice', subject, 'a'.repeat(1025)],
      'identity_invalid',
    ],
    ['two lists of groups', [user, 'alice', groups, 'a', groups, 'admins'], 'identity_ambiguous'],
    ['groups that are no UTF-8', [user, 'alice', groups, '\xff'], 'identity_invalid'],
    ['two e-mail addresses', [user, 'alice', email, 'a', email, 'b'], 'identity_ambiguous'],
    ['an e-mail address that is no UTF-8', [user, 'alice', email, '\xff'], 'identity_invalid'],
  ] as const)
    it(`with ${hazard} is refused: ${code}`, () => {
      assert.equal(codeOf(rawHeaders), code)
    })

  it('is never repeated in a refusal', () => {
    const result = open([user, '<script>, bob'])
    assert.ok(!result.ok)
    assert.doesNotMatch(result.detail, /script/)
  })
})

describe('with a gateway secret', () => {
  it('the header proves the gateway, with its name in any case', () => {
    const result = guarded([user, 'alice', 'berth-GATEWAY-secret', secretText])
    assert.equal(result.ok && result.proof, 'header')
  })

  it('the password follows the last colon, because a subject may contain colons', () => {
    for (const scheme of ['Basic', 'basic', 'BASIC']) {
      const credentials = Buffer.from(`auth0|a:b:c:${secretText}`).toString('base64')
      const result = guarded([user, 'alice', 'authorization', `${scheme} ${credentials}`])
      assert.equal(result.ok && result.proof, 'basic')
    }
  })

  for (const [hazard, rawHeaders] of [
    ['none', []],
    ['an empty one', ['Berth-Gateway-Secret', '']],
    ['a wrong one', ['Berth-Gateway-Secret', 'another secret that is as long']],
    ['the beginning of it', ['Berth-Gateway-Secret', secretText.slice(0, -1)]],
    ['it twice', ['Berth-Gateway-Secret', secretText, 'berth-gateway-secret', secretText]],
    ['it spelt with _', ['Berth_Gateway_Secret', secretText]],
    ['it with more behind a colon', ['Authorization', basic(`a:${secretText}:`)]],
    ['it as the user of Basic', ['Authorization', basic(`${secretText}:`)]],
    ['it without a colon', ['Authorization', basic('asecret')]],
    ['it as Bearer', ['Authorization', `Bearer ${secretText}`]],
    ['broken base64', ['Authorization', 'Basic !!!!']],
    ['two Authorizations', ['Authorization', 'Basic x', 'Authorization', basic(`a:${secretText}`)]],
    [
      'a wrong header beside',
      ['Berth-Gateway-Secret', 'x', 'Authorization', basic(`a:${secretText}`)],
    ],
  ] as const)
    it(`a request with ${hazard} is untrusted, even with an identity`, () => {
      assert.equal(codeOf([user, 'alice', ...rawHeaders], guarded), 'gateway_untrusted')
    })

  it('the secret is checked before the identity', () => {
    assert.equal(codeOf([], guarded), 'gateway_untrusted')
    assert.equal(codeOf(['Berth-Gateway-Secret', secretText], guarded), 'identity_missing')
  })
})
