import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPeople, demoPeople, parsePeople } from './people.ts'

function only(text: string) {
  const people = parsePeople(text)
  assert.equal(people?.length, 1)
  const [person] = people
  assert.ok(person)
  return person
}

test('the demo has alice, bob and carol in staff, and admin in admins too', () => {
  const groups = Object.fromEntries(demoPeople.map((person) => [person.name, person.groups]))
  assert.deepEqual(groups, {
    alice: ['staff'],
    bob: ['staff'],
    carol: ['staff'],
    admin: ['staff', 'admins'],
  })
})

test('takes a single name as login, password and name, with its own subject', () => {
  assert.deepEqual(only('dora'), {
    login: 'dora',
    password: 'dora',
    name: 'dora',
    subject: 'u-dora',
    groups: ['staff'],
    email: 'dora@example.test',
  })
})

test('allows the same name with another subject', () => {
  const person = only('alice2; name=alice; sub=u-2; groups=staff+admins; password=x y')
  assert.equal(person.name, 'alice')
  assert.equal(person.subject, 'u-2')
  assert.deepEqual(person.groups, ['staff', 'admins'])
  assert.equal(person.password, 'x y')
})

test('reads empty groups as no groups, and an empty email as none', () => {
  const person = only('eve;groups=;email=')
  assert.deepEqual(person.groups, [])
  assert.equal(person.email, undefined)
})

test('reads escaped commas, semicolons and backslashes', () => {
  assert.equal(only('Smith\\, Jane').login, 'Smith, Jane')
  assert.equal(only('a\\;b\\\\c').login, 'a;b\\c')
})

test('accepts names of any script, and derives a mailbox for names that are none', () => {
  const people = parsePeople("Jack.O'Neil,müller,mueller,../../etc,-x") ?? []
  assert.deepEqual(
    people.map((person) => person.login),
    ["Jack.O'Neil", 'müller', 'mueller', '../../etc', '-x'],
  )
  assert.equal(new Set(people.map((person) => person.email)).size, people.length)
})

test('refuses text that is not a list of people', () => {
  for (const text of ['a;b', 'a;colour=red', ';name=a', 'a;sub=', 'a\nb', 'a;name=\u0000']) {
    assert.equal(parsePeople(text), undefined, JSON.stringify(text))
  }
})

test('ignores empty entries', () => {
  assert.deepEqual(parsePeople(' , ,'), [])
})

test('can write and read any name', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => text.trim() === text && !/\p{Cc}/u.test(text))
  fc.assert(
    fc.property(name, (login) => {
      assert.equal(only(login.replaceAll(/[\\,;]/g, '\\$&')).login, login)
    }),
  )
})

test('refuses a wrong password and an unknown login', () => {
  const people = createPeople(demoPeople)
  assert.equal(people.signIn('alice', 'alice')?.subject, 'u-alice')
  assert.equal(people.signIn('alice', 'bob'), undefined)
  assert.equal(people.signIn('constructor', 'constructor'), undefined)
  assert.equal(people.signIn('', ''), undefined)
})

test('replaces an earlier entry with the same login', () => {
  const people = createPeople([...demoPeople, only('alice;sub=other')])
  assert.equal(people.all.length, demoPeople.length)
  assert.equal(people.signIn('alice', 'alice')?.subject, 'other')
  assert.equal(people.bySubject('u-alice'), undefined)
})
