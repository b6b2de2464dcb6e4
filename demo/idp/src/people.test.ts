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

test('a name alone is login, password and name, with a subject of its own', () => {
  assert.deepEqual(only('dora'), {
    login: 'dora',
    password: 'dora',
    name: 'dora',
    subject: 'u-dora',
    groups: ['staff'],
    email: 'dora@example.test',
  })
})

test('the same name may be given to somebody with another subject', () => {
  const person = only('alice2; name=alice; sub=u-2; groups=staff+admins; password=x y')
  assert.equal(person.name, 'alice')
  assert.equal(person.subject, 'u-2')
  assert.deepEqual(person.groups, ['staff', 'admins'])
  assert.equal(person.password, 'x y')
})

test('empty groups are no groups, and an empty email is none', () => {
  const person = only('eve;groups=;email=')
  assert.deepEqual(person.groups, [])
  assert.equal(person.email, undefined)
})

test('a backslash takes commas, semicolons and itself as they are', () => {
  assert.equal(only('Smith\\, Jane').login, 'Smith, Jane')
  assert.equal(only('a\\;b\\\\c').login, 'a;b\\c')
})

test('names of any script are taken, and those that are no mailbox get one of their own', () => {
  const people = parsePeople("Jack.O'Neil,müller,mueller,../../etc,-x") ?? []
  assert.deepEqual(
    people.map((person) => person.login),
    ["Jack.O'Neil", 'müller', 'mueller', '../../etc', '-x'],
  )
  assert.equal(new Set(people.map((person) => person.email)).size, people.length)
})

test('what is not a list of people is refused', () => {
  for (const text of ['a;b', 'a;colour=red', ';name=a', 'a;sub=', 'a\nb', 'a;name=\u0000']) {
    assert.equal(parsePeople(text), undefined, JSON.stringify(text))
  }
})

test('empty entries are nobody', () => {
  assert.deepEqual(parsePeople(' , ,'), [])
})

test('any name can be written down and read back', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => text.trim() === text && !/\p{Cc}/u.test(text))
  fc.assert(
    fc.property(name, (login) => {
      assert.equal(only(login.replaceAll(/[\\,;]/g, '\\$&')).login, login)
    }),
  )
})

test('nobody signs in with the wrong password, or as somebody unknown', () => {
  const people = createPeople(demoPeople)
  assert.equal(people.signIn('alice', 'alice')?.subject, 'u-alice')
  assert.equal(people.signIn('alice', 'bob'), undefined)
  assert.equal(people.signIn('constructor', 'constructor'), undefined)
  assert.equal(people.signIn('', ''), undefined)
})

test('a later login takes the place of an earlier one', () => {
  const people = createPeople([...demoPeople, only('alice;sub=other')])
  assert.equal(people.all.length, demoPeople.length)
  assert.equal(people.signIn('alice', 'alice')?.subject, 'other')
  assert.equal(people.bySubject('u-alice'), undefined)
})
