import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from './secret.ts'
import { choice, duration, originUrl, port, text } from './parse.ts'
import { optional, readSettings, required, secret, SettingsError, withDefault } from './settings.ts'

const settings = {
  IMAGE: required(text, { doc: 'the image', example: 'berth/lab' }),
  PORT: withDefault(port, '8080', { doc: 'the port' }),
  WAIT: withDefault(duration, '400ms', { doc: 'how long' }),
  MODE: withDefault(choice('a', 'b'), 'a', { doc: 'the mode' }),
  URL: optional(originUrl, { doc: 'where', example: 'https://berth.example.com' }),
  KEY: secret({ doc: 'the key', example: 'openssl rand -hex 32' }),
}
const noFile = (): string => {
  throw new Error('no such file')
}
const good = { IMAGE: 'x', KEY: 'k'.repeat(32) }

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readSettings(settings, env, noFile)
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    return error.problems
  }
  return []
}

describe('settings', () => {
  it('are parsed, with defaults where nothing is given', () => {
    const values = readSettings(settings, { ...good, URL: 'https://Berth.example.com/' }, noFile)
    assert.equal(values.PORT, 8080)
    assert.equal(values.WAIT, 400)
    assert.equal(values.URL, 'https://berth.example.com')
    assert.ok(Object.isFrozen(values))
  })

  it('count an empty variable as unset, as Compose passes it', () => {
    const values = readSettings(settings, { ...good, PORT: '', URL: '' }, noFile)
    assert.equal(values.PORT, 8080)
    assert.equal(values.URL, undefined)
  })

  it('name every problem at once, each with the variable and a valid example', () => {
    const problems = problemsOf({ PORT: '99999', WAIT: 'soon', MODE: 'c', URL: 'berth/x' })
    assert.equal(problems.length, 6)
    for (const name of ['IMAGE', 'PORT', 'WAIT', 'MODE', 'URL', 'KEY'])
      assert.ok(
        problems.some((problem) => problem.startsWith(name) && problem.includes(`${name}=`)),
        name,
      )
  })

  it('refuse a time that timers cannot wait: Node would run a timer of over 2^31 ms at once', () => {
    assert.equal(readSettings(settings, { ...good, WAIT: '24d' }, noFile).WAIT, 24 * 86_400_000)
    assert.match(problemsOf({ ...good, WAIT: '720h' })[0] ?? '', /^WAIT "720h" .*at most 24d/)
  })

  it('never show a secret, not even a wrong one', () => {
    const [problem] = problemsOf({ IMAGE: 'x', KEY: 'hunter2' })
    assert.match(problem ?? '', /^KEY must have(?!.*hunter2)/)
  })

  it('refuse a secret that no header can carry', () => {
    for (const key of ['sixteen\ncharacters', 'Schlüssel für heute', '\u0001sixteen characters'])
      assert.match(problemsOf({ IMAGE: 'x', KEY: key })[0] ?? '', /^KEY must have .*ASCII/, key)
    const { KEY } = readSettings(settings, { IMAGE: 'x', KEY: 'four words and blanks' }, noFile)
    assert.equal(KEY.reveal(), 'four words and blanks')
  })

  it('read a secret from the file that NAME_FILE names', () => {
    const read = (path: string): string => {
      assert.equal(path, '/run/secrets/key')
      return `${'f'.repeat(32)}\n`
    }
    const values = readSettings(settings, { IMAGE: 'x', KEY_FILE: '/run/secrets/key' }, read)
    assert.equal(values.KEY.reveal(), 'f'.repeat(32))
  })

  it('name the file of a secret that cannot be read', () => {
    assert.match(problemsOf({ IMAGE: 'x', KEY_FILE: '/nowhere' })[0] ?? '', /KEY_FILE \/nowhere/)
  })
})

describe('a secret', () => {
  it('prints as stars in text, JSON and logs', () => {
    const key = new Secret('hunter2-hunter2-')
    assert.equal(
      `${String(key)} ${JSON.stringify({ key })} ${inspect(key)}`,
      '*** {"key":"***"} ***',
    )
  })

  it('matches its own text and no other', () => {
    const key = new Secret('hunter2-hunter2-')
    assert.ok(key.matches('hunter2-hunter2-'))
    assert.ok(!key.matches('hunter2-hunter2'))
    assert.ok(!key.matches(''))
  })
})
