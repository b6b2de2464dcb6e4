// Proof 7: clients that cannot show a page are held until the workspace is ready, and then get the complete response.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { signIn, type Person } from '../clients/people.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { helloTemplate } from '../deployment/templates.ts'
import { buildImage } from '../engine/image.ts'
import { watchEngine } from '../engine/history.ts'
import { run } from '../run/command.ts'

const mebibyte = 1024 ** 2

describe('proof 7: git, curl and uploads to a workspace that is still starting', () => {
  let berth: Deployment
  let work: string
  before(async () => {
    const image = await buildImage('git')
    work = await mkdtemp(join(tmpdir(), 'berth-e2e-git-'))
    berth = await deploy({
      name: 'git',
      settings: {
        CONTAINER_IMAGE: image,
        CONTAINER_PORT: '8080',
        CONTAINER_HOME: '/home/git',
        IDP_PEOPLE: 'dora,emil',
      },
      template: {},
    })
  })
  after(async () => {
    await berth[Symbol.asyncDispose]()
    await rm(work, { recursive: true, force: true })
  })

  it('clones from and pushes to a workspace that does not run yet', async () => {
    const alice = await signIn(berth.site, 'alice')
    const clone = join(work, 'clone')
    await git(alice, ['clone', '--quiet', `${berth.site.origin}/project.git`, clone])
    const content = randomBytes(12 * mebibyte)
    await writeFile(join(clone, 'blob'), content)
    const author = ['-c', 'user.name=Alice', '-c', 'user.email=alice@example.test']
    await git(alice, ['-C', clone, 'add', 'blob'])
    await git(alice, ['-C', clone, ...author, 'commit', '--quiet', '--message', 'A blob'])
    // Larger than the buffer of git, so that git sends it chunked.
    await git(alice, ['-C', clone, 'push', '--quiet', 'origin', 'HEAD:main'])

    const again = join(work, 'again')
    await git(alice, [
      'clone',
      '--quiet',
      '--branch',
      'main',
      `${berth.site.origin}/project.git`,
      again,
    ])
    assert.ok(content.equals(await readFile(join(again, 'blob'))))
  })

  it('gives another person a repository of their own', async () => {
    const bob = await signIn(berth.site, 'bob')
    const refs = await git(bob, ['ls-remote', `${berth.site.origin}/project.git`])
    assert.equal(refs, '', 'nothing of what alice pushed')
  })

  it('holds a POST of 100 MiB until the workspace is ready, and delivers it completely and once', async () => {
    await berth.reconfigure({
      ...helloTemplate,
      CONTAINER_ENV_HELLO_START_DELAY: '4000',
    })
    await using history = await watchEngine(berth.engine)
    const dora = await signIn(berth.site, 'dora')
    const body = randomBytes(100 * mebibyte)
    const file = join(work, 'upload')
    await writeFile(file, body)
    const wanted = { length: body.length, sha256: createHash('sha256').update(body).digest('hex') }

    // curl sends Expect: 100-continue before such a large body.
    const output = await curl(dora, ['--data-binary', `@${file}`, '/sha256'])
    assert.deepEqual(JSON.parse(output), wanted)
    const made = history.events.filter(
      ({ action, name }) => action === 'create' && name === berth.workspaceName('dora'),
    )
    assert.equal(made.length, 1, 'the container did not exist when the upload began')

    const emil = await signIn(berth.site, 'emil')
    const unasked = await emil.ask('/sha256', { method: 'POST', body })
    assert.deepEqual(await unasked.json(), wanted, 'without Expect, too')
  })

  it('holds curl, which does not accept HTML, and then returns the response of the workspace', async () => {
    const carol = await signIn(berth.site, 'carol')
    const output = await curl(carol, ['--include', '/whoami'])
    assert.match(output, /^HTTP\/1\.1 200 /m)
    assert.match(output, new RegExp(`"hostname": "${berth.workspaceName('carol')}"`))
  })

  it('answers Expect: 100-continue once a workspace can receive the body', async () => {
    const carol = await signIn(berth.site, 'carol')
    const output = await curl(carol, [
      '--include',
      '--header',
      'Expect: 100-continue',
      '--data-binary',
      'a few bytes',
      '/echo',
    ])
    assert.match(output, /^HTTP\/1\.1 100 /)
    assert.match(output, /"length": 11/)
  })
})

function cookieOf(person: Person): string {
  return person.jar.header(new URL(person.site.origin))
}

/** Without the configuration of this machine, and without prompts. */
async function git(person: Person, args: readonly string[]): Promise<string> {
  const header = `http.extraHeader=Cookie: ${cookieOf(person)}`
  const output = await run('git', ['-c', header, ...args], {
    withinMs: 120_000,
    env: {
      PATH: process.env['PATH'],
      HOME: tmpdir(),
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
      no_proxy: '*',
    },
  })
  return output.trim()
}

/** The last argument is a path. */
async function curl(person: Person, args: readonly string[]): Promise<string> {
  const path = args.at(-1) ?? '/'
  const url = `${person.site.origin}${path}`
  const common = ['--silent', '--show-error', '--noproxy', '*', '--max-time', '110']
  return run('curl', [...common, '--cookie', cookieOf(person), ...args.slice(0, -1), url], {
    withinMs: 120_000,
  })
}
