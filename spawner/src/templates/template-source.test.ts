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
/** Replaces the file in the way of editors. */
const replace = (text: string): void => {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

/** A source that reads the folder, with a record of its log lines and changes. */
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
        publicUrl: 'https://berth.org',
        hosts: { public: 'berth.org', portal: undefined },
        imagesAllowed: ['team/*'],
        bindsAllowed: [],
        variables: () => ({ value: undefined }),
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
  it('has the templates of environment and file from the start', () => {
    writeFileSync(file, hello(', route: { path: /hello }'))
    const { source, names } = start({ environment: [testTemplate('lab')] })
    assert.deepEqual([...source.templates().keys()], ['lab', 'hello'])
    assert.deepEqual(names, [], 'the templates of the start are not reported as a change')
  })

  it('does not start with a bad file, and reports every problem with its position', () => {
    writeFileSync(file, 'templates:\n  hello: { image: berth/hello, prot: 8080 }\n')
    assert.throws(
      () => start(),
      (error) => {
        assert.ok(error instanceof SettingsError)
        assert.deepEqual(error.problems, [
          `TEMPLATES_FILE ${file}:2:32 templates.hello.prot is not known here; did you mean port?`,
        ])
        return true
      },
    )
  })

  it('does not start if the file is missing', () => {
    assert.throws(() => start(), /TEMPLATES_FILE .*templates\.yml cannot be read: ENOENT/)
  })

  it('reads the file again on request, and reports the changed templates', () => {
    writeFileSync(file, hello())
    const { source, names } = start()
    replace(hello(', cpus: 2'))
    assert.equal(source.templates().get('hello')?.spec.cpus, 1)
    source.reload()
    assert.equal(source.templates().get('hello')?.spec.cpus, 2)
    source.reload()
    assert.deepEqual(names, [['hello']], 'told once')
  })

  it('keeps the old templates when the new file is bad, and logs every problem', () => {
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

  it('keeps the old templates when the file has been removed', () => {
    writeFileSync(file, hello())
    const { source, errors } = start()
    rmSync(file)
    source.reload()
    assert.deepEqual([...source.templates().keys()], ['hello'])
    assert.match(errors().join(), /cannot be read: ENOENT/)
  })

  it('logs the problems of a bad file once, however often it is read', () => {
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

  it('treats a changed content of a secret as a change of the file', () => {
    writeFileSync(join(folder, 'key'), 'one')
    writeFileSync(file, `secrets: { key: { file: ./key } }\n${hello(', secrets: [key]')}`)
    const { source, names, logged } = start()
    writeFileSync(join(folder, 'key'), 'two')
    source.reload()
    assert.equal(source.templates().get('hello')?.spec.secrets[0]?.value.reveal(), 'two')
    assert.deepEqual(names, [['hello']])
    assert.ok(!JSON.stringify(logged).includes('two'))
  })

  it('notices a changed seccomp profile and a changed env_file by itself, as it does a changed file', () => {
    const profile = (action: string) => JSON.stringify({ defaultAction: action })
    writeFileSync(join(folder, 'profile.json'), profile('SCMP_ACT_ALLOW'))
    writeFileSync(join(folder, 'lab.env'), 'A=one')
    writeFileSync(file, hello(', security_opt: [seccomp=profile.json], env_file: lab.env'))
    let look = (): void => undefined
    const { source, names } = start({
      watch: (_path, changed) => {
        look = changed
        return { [Symbol.dispose]: () => undefined }
      },
    })
    look()
    assert.deepEqual(names, [])
    writeFileSync(join(folder, 'profile.json'), profile('SCMP_ACT_LOG'))
    look()
    const spec = () => source.templates().get('hello')?.spec
    assert.deepEqual(spec()?.securityOpt, [`seccomp=${profile('SCMP_ACT_LOG')}`])
    writeFileSync(join(folder, 'lab.env'), 'A=two')
    look()
    assert.equal(spec()?.environment['A'], 'two')
    assert.deepEqual(names, [['hello'], ['hello']])
  })

  it('warns of settings that weaken the hardening', () => {
    writeFileSync(file, hello(', init: false, cap_add: [SYS_PTRACE]'))
    const { logged } = start()
    assert.match(JSON.stringify(logged), /weakens the hardening.*SYS_PTRACE.*process 1/)
  })

  it('adds allowed images, logs once which images are left out, and drops images that the engine no longer has', () => {
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

  it('prefers a template of the file to one of an image with the same name', () => {
    writeFileSync(file, hello())
    const { source } = start()
    source.images([{ reference: 'team/app:1', id: 'a', labels: { 'orca.kind': 'web' } }])
    replace(hello() + '  app: { image: berth/app, port: 80, route: { path: /app } }\n')
    source.reload()
    assert.equal(source.templates().get('app')?.source, 'file')
  })
})

describe('a watched file', () => {
  it('is read again without a request when another file replaces it', async () => {
    writeFileSync(file, hello())
    const { source, changes } = start({ watch: watchFile })
    replace(hello(', cpus: 2'))
    await once(changes, 'changed', { signal: AbortSignal.timeout(10_000) })
    assert.equal(source.templates().get('hello')?.spec.cpus, 2)
  })

  it('is read again without a request when it changes and no change is reported', async () => {
    writeFileSync(file, hello())
    // A watch on another folder reports no changes of this file, as in a mount of the file alone.
    const deaf: TemplateSourceDeps['watch'] = (_path, look) =>
      watchFile(join(folder, 'nowhere', 'x'), look, 20)
    const { source, changes } = start({ watch: deaf })
    writeFileSync(file, hello(', cpus: 3'))
    await once(changes, 'changed', { signal: AbortSignal.timeout(10_000) })
    assert.equal(source.templates().get('hello')?.spec.cpus, 3)
  })
})
