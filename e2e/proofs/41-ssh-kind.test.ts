// Proof 41: templates of the kind ssh, and what Orca's labels say about them, with OpenSSH's own client: each label with its
// default and another value. Proof 14 has the labels of websites, and says what becomes of an image of the kind tcp.
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createApi, type Api } from '../clients/api.ts'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import { expectProblem } from '../clients/problems.ts'
import { createSshClient, readableFolder, type SshClient, type SshSession } from '../clients/ssh.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { buildImage } from '../engine/image.ts'
import { build, labelledImages, type LabelledImages } from '../engine/labelled-image.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

const shell = { 'berth.image.command': 'bash --norc -i' }
const waits = { 'berth.image.command': 'sleep infinity', 'orca.connection.method': 'exec' }

/** What an image has besides the kind ssh. */
const images: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: shell,
  kept: { ...waits, 'orca.container.persistBetweenReconnects': 'true' },
  signalled: { ...waits, 'orca.container.stopsignal': 'SIGUSR1' },
  pairs: { ...waits, 'orca.users.concurrent': '2' },
  lasting: {
    ...waits,
    'orca.users.concurrent': '2',
    'orca.container.persistBetweenReconnects': 'true',
  },
  served: {
    ...waits,
    'orca.users.concurrent': '2',
    'orca.users.total': '2',
  },
  brief: { ...shell, 'orca.timeout.inactive': '8s' },
  board: { ...waits, 'orca.users.concurrent': '2', 'orca.timeout.inactive': '8s' },
  drained: { ...waits, 'orca.users.concurrent': '-1', 'orca.timeout.session': '3s' },
  site: { 'orca.kind': 'web', 'orca.connection.method': 'exec' },
}
const people = ['ann', 'ben', 'cleo', 'dan']

interface Offered {
  readonly name: string
  readonly kind: string
  readonly url?: string
}

describe('proof 41: templates of the kind ssh', () => {
  let berth: Deployment
  let made: LabelledImages
  let director: Place
  let ssh: SshClient
  let api: Api
  let keys: string
  /** Names are those of containers, which other deployments on the engine have, too. */
  const tail = process.pid.toString(36)
  const to = (user: string, image: string): string => `${user}+${image}${tail}`

  const server = `kinds${process.pid}/server${tail}`

  const takeDown = takenDownAtTheEnd(async () => {
    await ssh?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    await made?.[Symbol.asyncDispose]()
    await run('docker', ['image', 'rm', '--force', server])
    await rm(keys, { recursive: true, force: true })
  })
  before(async () => {
    keys = await readableFolder()
    const repository = `kinds${process.pid}/`
    made = labelledImages('berth/hello', repository)
    await Promise.all(
      Object.entries(images).map(([name, labels]) =>
        made.make(`${name}${tail}`, { 'orca.kind': 'ssh', ...labels }, { HELLO_PORT: '80' }),
      ),
    )
    await buildImage('sshd')
    const labels = [
      'orca.kind=ssh',
      'orca.connection.method=connect',
      'orca.port=2200',
      'berth.image.ssh.user=dev',
    ]
    // Such a server needs no root.
    const lines = ['FROM berth/e2e-sshd', 'USER 1000:1000', 'ENV SSHD_PORT=2200']
    await build(server, [...lines, ...labels.map((label) => `LABEL ${label}`)].join('\n'))
    berth = await deploy({
      name: 'kinds',
      templates: `
templates:
  checked${tail}:
    image: berth/hello
    kind: ssh
    ssh: { method: exec, shell: /bin/bash }
    command: [bash, -c, 'sleep 2; touch /tmp/up; sleep infinity']
    healthcheck: { test: [CMD, test, -e, /tmp/up] }
`,
      moreComposeFiles: ['e2e/compose/ssh.yml'],
      settings: {
        SSH_PORT: '2222',
        SSH_KEYS_FOLDER: '/etc/berth/ssh-keys',
        KEYS_OF_PROOF: keys,
        IMAGES_ALLOWED: `${repository}*`,
        API_TOKEN: 'a token of the tests alone',
      },
    })
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    director = place
    api = await createApi(berth)
    ssh = await createSshClient('host' in place ? place.host : '', 2222)
    for (const user of people) {
      await writeFile(join(keys, user), `${ssh.publicKey}\n`, { mode: 0o644 })
      // The gateway tells who they are. No workspace is started.
      await eventually('the director has heard of the templates', 30_000, async () => {
        const answer = await site(user).ask('/.berth/status')
        answer.leave()
        return answer.status === 200
      })
    }
  })
  after(takeDown)

  const site = (user: string): GatewayLike =>
    asTheGateway(berth, director, user, { host: `site${tail}.localhost` })
  async function hostOf(user: string, image: string): Promise<string> {
    const { code, stdout, stderr } = await ssh.run(to(user, image), 'hostname')
    assert.equal(code, 0, `${user} in ${image}: ${stderr}`)
    return stdout.toString().trim()
  }
  /** A session that stays until its disposal, and the host that it is on. */
  async function stay(user: string, image: string): Promise<{ session: SshSession; host: string }> {
    const session = ssh.begin(to(user, image), ['hostname; exec cat'])
    const text = await session.until(/\S+\n/)
    return { session, host: text.trim() }
  }
  const seatEnds = (person: string, workspace: string): Promise<unknown> =>
    eventually(`the seat of ${person} ends`, 60_000, async () => {
      const { seats } = await api.read<{ seats: readonly { user: string }[] }>(
        `/api/v1/workspaces/${workspace}`,
      )
      return seats.every(({ user }) => user !== person)
    })
  const runs = async (name: string): Promise<boolean> => {
    const { workspaces } = await api.read<{ workspaces: readonly { name: string }[] }>(
      '/api/v1/workspaces',
    )
    return workspaces.some((one) => one.name === name)
  }

  it('has no address on the web, and is offered as what it is', async () => {
    const { templates } = await api.read<{ templates: readonly Offered[] }>('/api/v1/templates')
    const found = templates.find(({ name }) => name === `plain${tail}`)
    assert.deepEqual([found?.kind, found?.url], ['ssh', undefined])
    const host = `plain${tail}.localhost`
    await expectProblem(
      await asTheGateway(berth, director, 'ann', { host }).ask('/'),
      404,
      'template_unknown',
    )
  })

  it('attaches to the first process by default, in a container of one’s own that ends when its person leaves', async () => {
    const one = ssh.begin(to('ann', 'plain'), [], { columns: 90, rows: 25 })
    one.type('\n')
    await one.until(/\$ /)
    one.type('echo "$$ $(hostname)"\n')
    await one.until(new RegExp(`\\d+ plain${tail}-ann\\r`))
    using other = ssh.begin(to('ann', 'plain'), [], { columns: 90, rows: 25 })
    other.type('\n')
    await other.until(/\$ /)
    one.type('echo both $((40 + 2))\n')
    await other.until(/both 42/)
    one.type('left=here; echo set $left\n')
    await other.until(/set here/)
    one.child.kill('SIGKILL')
    other.type('echo still $left\n')
    await other.until(/still here/)
    other.child.kill('SIGKILL')
    await eventually('it has ended', 60_000, async () => !(await runs(`plain${tail}-ann`)))
    const next = ssh.begin(to('ann', 'plain'), [], { columns: 90, rows: 25 })
    next.type('\n')
    await next.until(/\$ /)
    next.type('echo new $left.; exit 7\n')
    await next.until(/new \./)
    assert.equal(await next.ended, 7)
  })

  it('runs commands beside the first process with the method exec, and stays with persistBetweenReconnects', async () => {
    const { code, stdout, stderr } = await ssh.run(
      to('ann', 'kept'),
      'touch /tmp/mine; echo out; echo err >&2; exit 42',
    )
    assert.deepEqual([code, stdout.toString(), stderr], [42, 'out\n', 'err\n'])
    assert.equal(await hostOf('ben', 'kept'), `kept${tail}-ben`)
    assert.equal(await hostOf('ben', 'signalled'), `signalled${tail}-ben`)
    const hasEnded = async () => !(await runs(`signalled${tail}-ben`))
    await eventually('one that does not stay has ended', 60_000, hasEnded)
    const again = await ssh.run(to('ann', 'kept'), 'ls /tmp/mine')
    assert.equal(again.code, 0, again.stderr)
  })

  it('goes to the SSH server in the container with the method connect, at the label port', async () => {
    const { code, stdout, stderr } = await ssh.run(to('ann', 'server'), 'whoami; exit 3')
    assert.deepEqual([code, stdout.toString()], [3, 'dev\n'], stderr)
  })

  it('stops by the image’s own signal, or by container.stopsignal', async () => {
    const signalOf = async (name: string) => {
      const { session, host } = await stay('dan', name)
      const { Config } = await inspected(berth.engine, host)
      session.child.kill('SIGKILL')
      return (Config as { StopSignal?: string }).StopSignal ?? ''
    }
    assert.equal(await signalOf('kept'), '')
    assert.equal(await signalOf('signalled'), 'SIGUSR1')
  })

  it('admits as many people at once as users.concurrent says; a seat ends with the last connection', async () => {
    const ann = await stay('ann', 'pairs')
    using ben = (await stay('ben', 'pairs')).session
    assert.equal((await stay('ann', 'pairs')).host, ann.host)
    assert.ok(ben.text().includes(ann.host))
    using cleo = (await stay('cleo', 'pairs')).session
    assert.ok(!cleo.text().includes(ann.host), 'there are two seats')
    ben.child.kill('SIGKILL')
    await seatEnds('ben', ann.host)
    ann.session.child.kill('SIGKILL')
  })

  it('keeps seats between connections with persistBetweenReconnects', async () => {
    const first = await hostOf('ann', 'lasting')
    assert.equal(await hostOf('ben', 'lasting'), first)
    assert.notEqual(await hostOf('cleo', 'lasting'), first)
    assert.equal(await hostOf('ann', 'lasting'), first)
  })

  it('serves as many people in total as users.total says', async () => {
    const ann = await stay('ann', 'served')
    const ben = await stay('ben', 'served')
    assert.equal(ben.host, ann.host)
    ben.session.child.kill('SIGKILL')
    await ben.session.ended
    assert.notEqual(await hostOf('cleo', 'served'), ann.host)
    ann.session.child.kill('SIGKILL')
    await eventually('it ends with the last one', 60_000, async () => !(await runs(ann.host)))
  })

  it('admits nobody new after timeout.session, and lets those who are there stay', async () => {
    const ann = await stay('ann', 'drained')
    await eventually('another one', 60_000, async () => {
      const ben = await stay('ben', 'drained')
      ben.session.child.kill('SIGKILL')
      if (ben.host !== ann.host) return true
      // Who has a seat is nobody new.
      await seatEnds('ben', ben.host)
      return false
    })
    ann.session.type('still there\n')
    await ann.session.until(/still there/)
    ann.session.child.kill('SIGKILL')
  })

  it('warns a silent person before timeout.inactive, says why it ends, and exits with 254', async () => {
    const silent = ssh.begin(to('ann', 'brief'), [], { columns: 90, rows: 25 })
    silent.type('\n')
    await silent.until(/\$ /)
    await silent.until(/berth: this session ends in \d seconds?, because it is not used/)
    await silent.until(/berth: The workspace was stopped, because nobody used it/)
    assert.equal(await silent.ended, 254)
    const command = await ssh.run(to('ben', 'brief'), 'sleep 120')
    assert.equal(command.code, 254)
    assert.equal(command.stderr, 'berth: The workspace was stopped, because nobody used it.\n')
  })

  it('ends the seat of a silent person among others, who stay; the default is a quarter of an hour', async () => {
    const kept = await stay('ben', 'pairs')
    const silent = await stay('ann', 'board')
    const busy = await stay('ben', 'board')
    assert.equal(busy.host, silent.host)
    let isOver = false
    void silent.session.ended.then(() => (isOver = true))
    await eventually('the silent one is out', 60_000, async () => {
      busy.session.type('.\n')
      return isOver
    })
    assert.equal(await silent.session.ended, 254)
    assert.match(silent.session.text(), /berth: Your seat in this workspace has ended/)
    busy.session.type('still there\n')
    await busy.session.until(/still there/)
    kept.session.type('here, too\n')
    await kept.session.until(/here, too/)
    for (const { session } of [kept, busy]) session.child.kill('SIGKILL')
  })

  it('is ready after its health check, if it has one', async () => {
    const { code, stderr } = await ssh.run(to('ann', 'checked'), 'ls /tmp/up')
    assert.equal(code, 0, stderr)
  })

  it('leads into the container of a website, too, where the image says how', async () => {
    const answer = await site('ann').ask('/whoami')
    const { hostname } = JSON.parse(await answer.text()) as { hostname: string }
    assert.equal(await hostOf('ann', 'site'), hostname)
  })
})
