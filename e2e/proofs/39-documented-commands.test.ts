// Proof 39: the commands of the pages for administrators are run as they are written there. What cannot be run in a test is
// named here with the place where it is proven otherwise, or says itself in the page that it was not run, and why.
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { attempt, run, type CommandResult } from '../run/command.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

const pages = ['operations.md', 'set-up.md', 'administration.md', 'monitoring.md'] as const

interface Block {
  readonly page: string
  readonly text: string
  /** What the page says right after it. */
  readonly next: string
}

/** By the first line of a block. A proof runs the same files with the same command. */
const provenElsewhere: Readonly<Record<string, string>> = {
  'docker compose -f docker-compose.yml -f docker-compose.desktop.yml up -d --wait': '38',
  'PROXY_NETWORK=proxy docker compose -f docker-compose.yml -f docker-compose.proxy.yml up -d --wait':
    '34',
  'docker compose -f docker-compose.yml -f docker-compose.apache.yml up -d --wait': '34',
  'docker compose --file docker-compose.yml --file docs/monitoring/docker-compose.yml up -d --wait':
    '33',
}

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(join(surroundings.root, 'docs', page), 'utf8')
  return [...text.matchAll(/^( *)```sh\n([^]*?)^\1```\n(?=([^]{0,700}))/gm)].map(
    ([, indent = '', body = '', next = '']) => ({
      page,
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim(),
      next,
    }),
  )
}

/** Lines for `.env`, and no commands. */
const areSettings = ({ text }: Block): boolean =>
  text.split('\n').every((line) => /^[A-Z][A-Z0-9_]*=\S/.test(line) && !line.includes(' docker '))

describe('proof 39: the commands of the pages for administrators', () => {
  let berth: Deployment
  let work: string
  let blocks: readonly Block[]
  const ran = new Set<string>()
  const prefix = `d${process.pid.toString(36)}`
  const old = `proof39-${process.pid}-old`
  const hub = `hub${process.pid}`

  const takeDown = takenDownAtTheEnd(async () => {
    await berth?.[Symbol.asyncDispose]()
    await attempt('docker', ['volume', 'rm', '--force', old, `jupyterhub-user-${hub}`])
    await rm(work, { recursive: true, force: true })
  })
  before(async () => {
    blocks = (await Promise.all(pages.map(blocksOf))).flat()
    work = await mkdtemp(join(tmpdir(), 'proof39-'))
    berth = await deploy({
      name: 'documented',
      templates: `
templates:
  lab:
    prefix: ${prefix}
    image: berth/hello
    port: 8080
    user: '1000:1000'
    mem_limit: 128m
    home: { path: /home/hello }
    route: { hosts: [localhost] }
`,
    })
    // An administrator stands in the folder with docker-compose.yml and .env.
    await mkdir(join(work, 'bin'))
    const compose = berth.composeWords.map((word) => `'${word}'`).join(' ')
    await writeFile(
      join(work, 'bin/docker'),
      `#!/bin/sh\nif [ "$1" = compose ]; then shift; exec "$REAL_DOCKER" ${compose} "$@"; fi\nexec "$REAL_DOCKER" "$@"\n`,
    )
    await chmod(join(work, 'bin/docker'), 0o755)
  })
  after(takeDown)

  /** The names of the default instance stand for those of this one. */
  const here = (text: string): string =>
    text
      .replaceAll('berth/spawner', `berth/spawner:${surroundings.tag}`)
      .replaceAll(/\bberth-(?=data|alice|alicia)/g, `${berth.instance}-`)
      .replaceAll('berth.instance=berth', `berth.instance=${berth.instance}`)
      .replaceAll('OLD_VOLUME', old)

  async function shell(text: string): Promise<CommandResult> {
    const real = (await run('sh', ['-c', 'command -v docker'])).trim()
    const path = `${join(work, 'bin')}:${process.env['PATH'] ?? ''}`
    return attempt('sh', ['-ec', here(text)], {
      cwd: work,
      env: { ...process.env, PATH: path, REAL_DOCKER: real },
      withinMs: 180_000,
    })
  }
  function blockThat(begins: string): Block {
    const block = blocks.find(({ text }) => text.startsWith(begins))
    assert.ok(block, `no page has: ${begins}`)
    ran.add(block.text)
    return block
  }
  /** Runs the block that begins so. */
  async function runBlock(begins: string): Promise<string> {
    const { text } = blockThat(begins)
    const { code, stdout, stderr } = await shell(text)
    assert.equal(code, 0, `${text}\n${stdout}\n${stderr}`)
    return `${stdout}\n${stderr}`
  }
  const volume = (of: string): string => `${berth.instance}-${of}-home`
  const inVolume = (name: string, script: string): Promise<string> =>
    run('docker', [
      'run',
      '--rm',
      '--volume',
      `${name}:/v`,
      'debian:bookworm-slim',
      'sh',
      '-ec',
      script,
    ])

  it('start, check and show a deployment', async () => {
    await runBlock('docker compose run --rm spawner check\ndocker compose up -d --wait')
    await runBlock('docker compose run --rm spawner check && docker compose up -d --wait')
    await runBlock('docker compose up -d --wait')
    assert.match(await runBlock('docker compose run --rm spawner doctor'), /ok/)
  })

  it('back up and restore records and homes', async () => {
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    const answer = await asTheGateway(berth, place, 'alice', { host: 'localhost' }).ask('/whoami')
    assert.equal(answer.status, 200, await answer.text())
    await runBlock('docker compose exec spawner node spawner/src/commands/backup.ts')
    assert.ok((await stat(join(work, 'berth-backup.db'))).size > 4_096)
    await inVolume(volume('alice'), 'echo kept > /v/work')
    await runBlock('docker compose run --rm -v "$PWD/backups:/backups" spawner backup-home alice')
    await runBlock('docker compose stop spawner')
    await run('docker', ['rm', '--force', `${prefix}-alice`])
    await run('docker', ['volume', 'rm', volume('alice')])
    const [one = '', all = ''] = blockThat(
      'docker compose run --rm -v "$PWD/backups:/backups" spawner restore-home alice',
    ).text.split('\n')
    const restored = await shell(one)
    assert.equal(restored.code, 0, restored.stderr)
    // The home is there by now, and is not replaced.
    const refused = await shell(all)
    assert.match(refused.stdout + refused.stderr, /--replace/)
    assert.equal(await inVolume(volume('alice'), 'cat /v/work'), 'kept\n')
  })

  it('make a home by hand, and move it to another user name', async () => {
    await run('docker', ['volume', 'rm', '--force', volume('alice')])
    await writeFile(join(work, 'thesis'), 'years of work\n')
    await run('tar', ['-cf', join(work, 'alice-home.tar'), '-C', work, 'thesis'])
    await runBlock('docker volume create --label berth.instance=berth')
    await runBlock('old=berth-alice-home new=berth-alicia-home')
    assert.equal(await inVolume(volume('alicia'), 'cat /v/thesis'), 'years of work\n')
  })

  it('bring volumes from before Berth', async () => {
    await run('docker', ['volume', 'rm', '--force', volume('alice')])
    for (const name of [old, `jupyterhub-user-${hub}`]) {
      await run('docker', ['volume', 'create', name])
      await inVolume(name, 'echo before > /v/notebook; chown 1000:1000 /v/notebook')
    }
    await runBlock('docker compose run --rm spawner adopt OLD_VOLUME')
    assert.equal(await inVolume(volume('alice'), 'cat /v/notebook'), 'before\n')
    await writeFile(join(work, 'people.csv'), `${hub},u-${hub}\n`)
    const said = await runBlock('while IFS=, read -r user subject; do')
    assert.doesNotMatch(said, /not adopted/)
    assert.equal(await inVolume(volume(hub), 'cat /v/notebook'), 'before\n')
  })

  it('were all run, or the page says why not', () => {
    const rest = blocks.filter((block) => !areSettings(block) && !ran.has(block.text))
    const unexplained = rest.filter(({ text, next }) => {
      const [first = ''] = text.split('\n')
      return provenElsewhere[first] === undefined && !/\bnot run\b/i.test(next)
    })
    assert.deepEqual(
      unexplained.map(({ page, text }) => `${page}: ${text}`),
      [],
    )
    const written = new Set(blocks.map(({ text }) => text.split('\n')[0]))
    assert.deepEqual(
      Object.keys(provenElsewhere).filter((line) => !written.has(line)),
      [],
      'no page has these any more',
    )
  })
})
