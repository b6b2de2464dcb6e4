import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  ownerAlias,
  parsePrefix,
  parseUserName,
  prefixOf,
  safeUserName,
  guestName,
  isOpenName,
  openName,
  sharedName,
  standbyName,
  numberOf,
  workspaceName,
  type Prefix,
  type UserName,
} from './names.ts'

const lab = parsePrefix('lab') as Prefix
const user = (name: string): UserName => {
  const parsed = parseUserName(name)
  assert.ok(parsed, `${name} is a user name`)
  return parsed
}
const dnsLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** Names that people have, names that attackers choose, and random names. */
const anyUser = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
    fc.string({
      unit: fc.constantFrom('a', 'b', 'A', '-', '.', '/', '1', 'ü'),
      minLength: 1,
      maxLength: 90,
    }),
  )
  .map(parseUserName)
  .filter((name) => name !== undefined)

describe('safe user names', () => {
  it('keep a name that is a DNS label with single hyphens', () => {
    for (const name of ['alice', 'a', '0', 'jean-luc', 'x1-y2-z3', 'a'.repeat(59)])
      assert.equal(safeUserName(lab, user(name)), name)
  })

  it('give every other name a slug and ten characters of a hash', () => {
    for (const [name, slug] of [
      ["Jack.O'Neil", 'jack-o-neil'],
      ['müller', 'mu-ller'],
      ['a--b', 'a-b'],
      ['../../etc', 'etc'],
      ['-x', 'x'],
      ['Alice', 'alice'],
      ['李', 'u'],
      ['a'.repeat(200), 'a'.repeat(47)],
    ] as const)
      assert.match(safeUserName(lab, user(name)), new RegExp(`^${slug}--[a-z2-7]{10}$`), name)
  })

  it('always make a workspace name that is a DNS label of at most 63 characters', () => {
    fc.assert(
      fc.property(anyUser, (name) => {
        assert.match(workspaceName(lab, name), dnsLabel)
      }),
    )
  })

  it('never give two people the same workspace', () => {
    fc.assert(
      fc.property(anyUser, anyUser, (one, other) => {
        fc.pre(one !== other)
        assert.notEqual(workspaceName(lab, one), workspaceName(lab, other))
      }),
      { numRuns: 2_000 },
    )
  })

  it('never let a person take the safe form of another as their own name', () => {
    fc.assert(
      fc.property(anyUser, (name) => {
        const safe = user(safeUserName(lab, name))
        fc.pre(safe !== name)
        assert.notEqual(workspaceName(lab, safe), workspaceName(lab, name))
      }),
    )
  })

  it('keep the name of a guest, which no other person has as a safe form', () => {
    const guest = guestName('origin.id')
    assert.equal(workspaceName(lab, guest), `lab-${guest}`)
    /** The safe forms of these names begin with `guest--`. */
    const lookalike = fc
      .tuple(fc.constantFrom('Guest', 'guest!', 'guest--', 'gu\u0308est', 'guest-'), anyUser)
      .map(([word, rest]) => parseUserName(`${word}${rest.slice(0, 12)}`))
      .filter((name) => name !== undefined)
    fc.assert(
      fc.property(fc.oneof(anyUser, lookalike), fc.string(), (name, subject) => {
        fc.pre(name !== guestName(subject))
        assert.notEqual(safeUserName(lab, name), safeUserName(lab, guestName(subject)))
        assert.doesNotMatch(safeUserName(lab, name), /--[0189]/)
      }),
      { numRuns: 2_000 },
    )
  })

  it('never give two prefixes the same workspace', () => {
    const prefix = fc
      .stringMatching(/^[a-z][a-z0-9]{0,19}$/)
      .map((text) => parsePrefix(text) as Prefix)
    fc.assert(
      fc.property(prefix, prefix, anyUser, anyUser, (p, q, one, other) => {
        fc.pre(p !== q)
        assert.notEqual(workspaceName(p, one), workspaceName(q, other))
      }),
    )
  })
})

describe('numbered names', () => {
  const anyTurn = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.integer({ min: 1e9, max: 1e10 - 1 }))
  /** Names whose safe form looks as much as possible like a numbered one. */
  const lookalike = fc
    .tuple(fc.constantFrom('shared', 'standby', 'Shared', 'standby-'), fc.oneof(anyTurn, fc.nat(9)))
    .map(([word, turn]) => parseUserName(`${word}--${turn}`))
    .filter((name) => name !== undefined)
  const anyPrefix = fc
    .stringMatching(/^[a-z][a-z0-9]{0,19}$/)
    .map((text) => parsePrefix(text) as Prefix)

  it("are never equal to a person's name", () => {
    fc.assert(
      fc.property(fc.oneof(anyUser, lookalike), anyTurn, anyPrefix, (name, turn, prefix) => {
        const person = workspaceName(prefix, name)
        assert.notEqual(sharedName(prefix, turn), person)
        assert.notEqual(openName(prefix, turn), person)
        assert.notEqual(standbyName(prefix, turn), person)
        // For every hash: after the hyphens are ten characters, or none.
        for (const numbered of [sharedName(prefix, turn), standbyName(prefix, turn)])
          assert.notEqual(numbered.slice(numbered.indexOf('--') + 2).length, 10)
      }),
      { numRuns: 1_000 },
    )
  })

  it('begin with the prefix, as names of people do', () => {
    fc.assert(
      fc.property(anyUser, anyTurn, anyPrefix, (name, turn, prefix) => {
        assert.equal(prefixOf(standbyName(prefix, turn)), prefix)
        assert.equal(prefixOf(workspaceName(prefix, name)), prefix)
      }),
    )
  })

  it('are never equal to each other, and are DNS labels', () => {
    fc.assert(
      fc.property(anyTurn, anyTurn, anyPrefix, (one, other, prefix) => {
        fc.pre(one !== other)
        const names = [one, other].flatMap((turn) => [
          sharedName(prefix, turn),
          openName(prefix, turn),
          standbyName(prefix, turn),
        ])
        assert.equal(new Set(names).size, 6)
        for (const name of names) assert.match(name, dnsLabel)
        assert.deepEqual(names.map(numberOf), [one, one, one, other, other, other])
        assert.deepEqual(names.map(isOpenName), [false, true, false, false, true, false])
      }),
    )
  })

  it('are refused for a number that is no whole number of 0 or more', () => {
    for (const turn of [-1, 1.5, Number.NaN, 2 ** 53])
      assert.throws(() => sharedName(lab, turn), RangeError)
  })
})

describe('user names', () => {
  it('are refused when they are not allowed', () => {
    for (const name of [
      '',
      ' ',
      ' alice',
      'alice ',
      'al\nice',
      'a\u0000',
      '\u202ealice',
      '\u061calice',
      'a'.repeat(257),
    ])
      assert.equal(parseUserName(name), undefined, JSON.stringify(name))
  })

  it('are kept exactly as signed in otherwise', () => {
    for (const name of [
      'alice',
      "Jack.O'Neil",
      'müller',
      '../../etc',
      '-x',
      'a b',
      'a'.repeat(256),
    ])
      assert.equal(parseUserName(name), name)
  })
})

describe('prefixes', () => {
  it('have no hyphen, so that prefix and user cannot be confused', () => {
    for (const text of ['lab-gpu', 'Lab', '1lab', '', 'lab_', 'a'.repeat(21)])
      assert.equal(parsePrefix(text), undefined, text)
    assert.equal(parsePrefix('lab2'), 'lab2')
  })
})

describe('owner aliases', () => {
  it('are DNS labels that differ by workspace and by subject', () => {
    const ann = ownerAlias(workspaceName(lab, user('ann')), 'u-1')
    assert.match(ann, dnsLabel)
    assert.notEqual(ann, ownerAlias(workspaceName(lab, user('ann')), 'u-2'))
    assert.notEqual(ann, ownerAlias(workspaceName(lab, user('bob')), 'u-1'))
  })
})
