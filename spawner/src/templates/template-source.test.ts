import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { SettingsError } from '@berth/shared/settings'
import { watchFile } from '../watch-file.ts'
import { createTemplateSource, type TemplateSourceDeps } from './template-source.ts'
import { testTemplate } from './testing/test-template.ts'

let folder = ''
let file = ''
let stack: DisposableStack
beforeEach(() => {
  stack = new DisposableStack()
  folder = mkdtempSync(join(tmpdir(), 'berth-templates-'))
  file = join(folder, 'templates.yml')
})
afterEach(() => {
  stack.dispose()
  rmSync(folder, { recursive: true })
})

const hello = (more = '') => `templates:\n  hello: { image: berth/hello, port: 8080${more} }\n`
/** As editors do it. */
const replace = (text: string): void => {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

/** A source on the folder; what it logs and tells is collected. */
function start(given: Partial<TemplateSourceDeps> = {}) {
  const logged: { level: string; words: string }[] = []
  const log = (level: string) => (first: unknown, words?: string) => {
    const fields = typeof first === 'string' ? first : JSON.stringify(first)
    logged.push({ level, words: `${words ?? ''} ${fields}` })
  }
  const changes = new EventEmitter()
  const names: string[][] = []
  const source = stack.use(
    createTemplateSource({
      path: file,
      environment: [],
      context: {
        instance: 'berth',
        maxMemoryBytes: 0,
        hosts: { public: 'berth.org', portal: undefined },
        imagesAllowed: ['team/*'],
        bindsAllowed: [],
      },
      readFile: (path) => readFileSync(path, 'utf8'),
      watch: () => ({ [Symbol.dispose]: () => undefined }),
      beside: (beside, path) => resolve(dirname(beside), path),
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      changed: (templates) => {
        names.push([...templates.keys()])
        changes.emit('changed')
      },
      ...given,
    }),
  )
  const errors = (): string[] =>
    logged.filter(({ level }) => level === 'error').map(({ words }) => words)
  return { source, logged, errors, changes, names }
}

describe('the source of templates', () => {
  it('has those of environment and file from the start', () => {
    writeFileSync(file, hello(', route: { path: /hello }'))
    const { source, names } = start({ environment: [testTemplate('lab')] })
    assert.deepEqual([...source.templates().keys()], ['lab', 'hello'])
    assert.deepEqual(names, [], 'nobody is told of what was there before')
  })

  it('does not start with a bad file, and says every problem with its place', () => {
    writeFileSync(file, 'templates:\n  hello: { image: berth/hello, prot: 8080 }\n')
    assert.throws(
      () => start(),
      (error) => {
        assert.ok(error instanceof SettingsError)
        assert.deepEqual(error.problems, [
          `TEMPLATES_FILE ${file}:2:3 templates.hello.port is not set`,
          `TEMPLATES_FILE ${file}:2:32 templates.hello.prot is not known here; did you mean port?`,
        ])
        return true
      },
    )
  })

  it('does not start without its file', () => {
    assert.throws(() => start(), /TEMPLATES_FILE .*templates\.yml cannot be read: ENOENT/)
  })

  it('reads the file again when told, and tells what is other than before', () => {
    writeFileSync(file, hello())
    const { source, names } = start()
    replace(hello(', cpus: 2'))
    assert.equal(source.templates().get('hello')?.spec.cpus, 1)
    source.reload()
    assert.equal(source.templates().get('hello')?.spec.cpus, 2)
    source.reload()
    assert.deepEqual(names, [['hello']], 'told once')
  })

  it('keeps the old templates when the new file is bad, and names every problem', () => {
    writeFileSync(file, hello())
    const { source, errors, names } = start()
    replace(
      hello(', cpus: many, init: 3') + '  other: { image: x, port: 80, route: { path: /o } }\n',
    )
    source.reload()
    assert.deepEqual([...source.templates().keys()], ['hello'])
    assert.deepEqual(names, [])
    assert.equal(errors().length, 2)
    assert.match(errors()[0] ?? '', /refused; the old one stays .*:2:\d+ templates\.hello\.cpus/)
    replace(hello(', cpus: 2'))
    source.reload()
    assert.deepEqual(names, [['hello']])
  })

  it('keeps the old templates when the file is gone', () => {
    writeFileSync(file, hello())
    const { source, errors } = start()
    rmSync(file)
    source.reload()
    assert.deepEqual([...source.templates().keys()], ['hello'])
    assert.match(errors().join(), /cannot be read: ENOENT/)
  })

  it('names the problems of a bad file once, however often it is looked at', () => {
    writeFileSync(file, hello())
    let look = (): void => assert.fail('it does not watch')
    const { errors } = start({
      watch: (_path, given) => {
        look = given
        return { [Symbol.dispose]: () => undefined }
      },
    })
    replace(hello(', cpus: many'))
    look()
    look()
    assert.equal(errors().length, 1)
  })

  it('counts what a secret holds as part of the file', () => {
    writeFileSync(join(folder, 'key'), 'one')
    writeFileSync(file, `secrets: { key: { file: ./key } }\n${hello(', secrets: [key]')}`)
    const { source, names, logged } = start()
    writeFileSync(join(folder, 'key'), 'two')
    source.reload()
    assert.equal(source.templates().get('hello')?.spec.secrets[0]?.value.reveal(), 'two')
    assert.deepEqual(names, [['hello']])
    assert.ok(!JSON.stringify(logged).includes('two'))
  })

  it('warns of what weakens the hardening', () => {
    writeFileSync(file, hello(', init: false, cap_add: [SYS_PTRACE]'))
    const { logged } = start()
    assert.match(JSON.stringify(logged), /weakens the hardening.*SYS_PTRACE.*process 1/)
  })

  it('adds the images that are allowed, says once which are left out, and forgets those that are gone', () => {
    writeFileSync(file, hello())
    const { source, logged, names } = start()
    const labels = { 'orca.kind': 'web' }
    const good = { reference: 'team/app:1', id: 'a', labels }
    const bad = { reference: 'team/hello:1', id: 'b', labels }
    source.images([good, bad])
    source.images([bad, good])
    assert.deepEqual([...source.templates().keys()], ['hello', 'app'])
    assert.equal(logged.filter(({ level }) => level === 'warn').length, 1)
    source.images([])
    assert.deepEqual(names, [['hello', 'app'], ['hello']])
  })

  it('gives the file what an image had, when both want it', () => {
    writeFileSync(file, hello())
    const { source } = start()
    source.images([{ reference: 'team/app:1', id: 'a', labels: { 'orca.kind': 'web' } }])
    replace(hello() + '  app: { image: berth/app, port: 80, route: { path: /app } }\n')
    source.reload()
    assert.equal(source.templates().get('app')?.source, 'file')
  })
})

describe('a file that is watched', () => {
  it('is read again by itself when another is put in its place', async () => {
    writeFileSync(file, hello())
    const { source, changes } = start({ watch: watchFile })
    replace(hello(', cpus: 2'))
    await once(changes, 'changed', { signal: AbortSignal.timeout(10_000) })
    assert.equal(source.templates().get('hello')?.spec.cpus, 2)
  })

  it('is read again by itself when it is written where nothing tells of it', async () => {
    writeFileSync(file, hello())
    // A watch on another folder hears nothing of this one, as a mount of the file alone does not.
    const deaf: TemplateSourceDeps['watch'] = (_path, look) =>
      watchFile(join(folder, 'nowhere', 'x'), look, 20)
    const { source, changes } = start({ watch: deaf })
    writeFileSync(file, hello(', cpus: 3'))
    await once(changes, 'changed', { signal: AbortSignal.timeout(10_000) })
    assert.equal(source.templates().get('hello')?.spec.cpus, 3)
  })
})
