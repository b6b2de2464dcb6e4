// Proof 30: homes are backed up and restored byte by byte, and a backup that is not whole replaces nothing.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createApi } from '../clients/api.ts'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { composeEnvironment } from '../deployment/environment.ts'
import { serviceImage } from '../deployment/gateway.ts'
import { inspect, servicesOf } from '../engine/belongings.ts'
import { everythingIn, folderOf } from '../engine/volume-files.ts'
import { attempt, run, type CommandResult } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

/** Names, kinds, owners and times that a home may have. */
const fill = `set -e
cd /v
echo "years of work" > thesis
printf odd > "a b"; printf nl > "$(printf 'new\\nline')"; printf u > "ü-日本"; printf dash > ./-rf
printf quotes > "'\\"\\$x\\\\"
printf latin > "$(printf 'caf\\351')"; printf latin > "$(printf 'caf\\351-%0200d' 1)"
mkdir -p empty deep/er; ln -s "a b" soft; ln -s /nowhere dangling; ln "a b" hard; ln "a b" deep/er/hard; mkfifo pipe
printf start > sparse; truncate -s 128M sparse; printf end >> sparse
node -e "require('net').createServer().listen('sock', () => process.kill(process.pid, 'SIGKILL'))" || test -S sock
printf big > owned; chown 3000000:4000000 owned; chmod 4750 owned; chmod 1777 deep
touch -d '2001-02-03 04:05:06.789012345' "a b" empty; touch -h -d '2002-01-01' soft
head -c 67108864 /dev/urandom > large
long=$(printf 'x%.0s' $(seq 1 200)); mkdir -p $long/$long; printf deep > $long/$long/$long
chown 1000:1000 . thesis; chmod 750 .; touch -d '2010-01-01 00:00:00.5' .
`
/** Attributes that people or their programs set: text, bytes, capabilities of a program, access lists. */
const attributes = [
  ['user.comment', '"kept"', 'thesis'],
  ['user.bytes', '0x00ff0a', 'a b'],
  ['user.place', '"of the home itself"', '.'],
  ['security.capability', '0x0100000200200000000000000000000000000000', 'owned'],
  [
    'system.posix_acl_access',
    '0x0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000000ffffffff',
    'thesis',
  ],
  [
    'system.posix_acl_default',
    '0x0200000001000700ffffffff02000500e803000004000500ffffffff10000700ffffffff20000500ffffffff',
    'deep',
  ],
] as const

describe('proof 30: backups of homes', () => {
  let berth: Deployment
  let folder: string
  let home: string
  /** Everything about every file, and its bytes. */
  let whole: readonly string[]
  const small = `proof30-${process.pid}`
  const takeDown = takenDownAtTheEnd(async () => {
    await berth?.[Symbol.asyncDispose]()
    await attempt('docker', ['rm', '--force', small])
    await attempt('docker', ['volume', 'rm', '--force', small])
    await rm(folder, { recursive: true, force: true })
  })
  const settings = { API_TOKEN: 'a token for the scripts of proof 30' }
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proof30-'))
    berth = await deploy({ name: 'backup', settings })
    home = `${berth.instance}-ann-home`
    await visit(berth)
    await inVolume(home, fill)
    const root = await folderOf(home)
    for (const [name, value, file] of attributes)
      await run('setfattr', ['--name', name, '--value', value, join(root, file)])
    await makeByHand(`${berth.instance}-bob-home`, 'berth.user=bob', 'berth.subject=u-bob')
    await makeByHand(`${berth.instance}-common`)
    whole = await everythingIn(home)
    assert.match(whole.join('\n'), /3000000:4000000/)
    assert.match(whole.join('\n'), /caf\\xe9/)
  })
  after(takeDown)

  async function visit(at: Deployment): Promise<void> {
    const [place] = await at.directorPlaces()
    assert.ok(place)
    const answer = await asTheGateway(at, place, 'ann', { host: 'localhost' }).ask('/whoami')
    assert.equal(answer.status, 200, await answer.text())
  }
  /** As docs/operations.md says. */
  async function makeByHand(volume: string, ...more: readonly string[]): Promise<void> {
    const own = [`berth.instance=${berth.instance}`, `berth.volume=${volume}`]
    const labels = [...own, ...more].flatMap((label) => ['--label', label])
    await run('docker', ['volume', 'create', ...labels, volume])
    await inVolume(volume, `echo of ${volume} > /v/file`)
  }
  const inVolume = (volume: string, script: string): Promise<string> =>
    run('docker', [
      'run',
      '--rm',
      '-u',
      '0',
      '-v',
      `${volume}:/v`,
      '--entrypoint',
      'sh',
      serviceImage('spawner'),
      '-c',
      script,
    ])
  const command = (at: Deployment, from: string, ...args: string[]): Promise<CommandResult> =>
    at.tryCompose({}, 'run', '--rm', '--no-TTY', '--volume', `${from}:/backups`, 'spawner', ...args)
  async function removeWorkspace(at: Deployment): Promise<void> {
    const api = await createApi(at)
    const name = at.workspaceName('ann')
    assert.ok((await api.call('DELETE', `/api/v1/workspaces/${name}`)).status < 300)
    await eventually(
      'the container is gone',
      30_000,
      async () => (await inspect(at.engine, name)) === undefined,
    )
  }
  const names = async () => (await readdir(folder)).sort()
  const both = () => [`${home}.json`, `${home}.tar.zst`]

  it('freezes a workspace that nobody uses while it copies, and thaws it afterwards', async () => {
    const { code, stdout, stderr } = await command(berth, folder, 'backup-home', 'ann')
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`^${home}: 64 MiB backed up .*, frozen meanwhile$`, 'm'))
    await eventually('the workspace runs again', 30_000, async () => {
      const { State } = (await inspect(berth.engine, berth.workspaceName('ann'))) ?? {}
      return State?.Status === 'running'
    })
  })

  it('thaws a workspace after the command and the spawner were killed during a copy', async () => {
    const own = await mkdtemp(join(tmpdir(), 'proof30-crash-'))
    const [spawner] = await berth.services('spawner')
    assert.ok(spawner)
    const volume = ['--volume', `${own}:/backups`]
    const started = await berth.compose(
      'run',
      '--detach',
      ...volume,
      'spawner',
      'backup-home',
      'ann',
    )
    const id = started.trim().split('\n').at(-1) ?? ''
    const statusOf = async () =>
      (await inspect(berth.engine, berth.workspaceName('ann')))?.State.Status
    await eventually('it is frozen', 90_000, async () => (await statusOf()) === 'paused')
    await run('docker', ['kill', id, spawner.Id])
    await run('docker', ['rm', '--force', id])
    await berth.reconfigure({})
    assert.equal(await statusOf(), 'paused')
    await eventually('it is thawed', 120_000, async () => (await statusOf()) === 'running')
    await rm(own, { recursive: true })
  })

  it('copies the home of a workspace that cannot be frozen with a warning, and of an unused one without', async () => {
    await berth.compose('stop', 'spawner')
    const running = await command(berth, folder, 'backup-home', 'ann')
    await berth.reconfigure({})
    assert.equal(running.code, 0, running.stderr)
    const warned = new RegExp(`^${home}: 64 MiB backed up .* WARNING: a container used it`, 'm')
    assert.match(running.stdout, warned)
    await removeWorkspace(berth)
    const { code, stdout, stderr } = await command(berth, folder, 'backup-home', '--all')
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`^${home}: 64 MiB backed up into 64 MiB$`, 'm'))
    const all = ['ann-home', 'bob-home', 'common'].flatMap((name) =>
      ['json', 'tar.zst'].map((end) => `${berth.instance}-${name}.${end}`),
    )
    assert.deepEqual(await names(), all)
    assert.equal((await stat(join(folder, `${home}.tar.zst`))).mode & 0o777, 0o600)
    const skipped = await command(berth, folder, 'backup-home', 'ann', '--skip-present')
    assert.doesNotMatch(skipped.stdout, /backed up/)
  })

  it('writes an archive that tar and zstd open', async () => {
    const packed = join(folder, `${home}.tar.zst`)
    const listed = await run('sh', ['-c', `zstd -dc '${packed}' | tar --numeric-owner -tvf -`])
    assert.match(listed, /3000000\/4000000 +3 .*owned/)
  })

  it('copies one volume by its name, and restores it beside the home, with its holes', async () => {
    const own = await mkdtemp(join(tmpdir(), 'proof30-volume-'))
    const copied = await command(berth, own, 'backup-home', '--volume', home)
    assert.equal(copied.code, 0, copied.stderr)
    assert.deepEqual((await readdir(own)).sort(), both())
    const beside = `${berth.instance}-beside`
    const args = ['restore-home', '--volume', home, '--into', beside]
    const restored = await command(berth, own, ...args)
    assert.equal(restored.code, 0, restored.stderr)
    assert.deepEqual(await everythingIn(beside), whole)
    const { blocks } = await stat(join(await folderOf(beside), 'sparse'))
    assert.ok(blocks * 512 < 1024 * 1024, `${blocks} blocks`)
    const labels = JSON.parse(
      await run('docker', ['volume', 'inspect', '--format', '{{json .Labels}}', beside]),
    ) as Record<string, string>
    assert.equal(labels['berth.volume'], beside)
    assert.equal(labels['berth.user'], 'ann')
    const unknown = await command(berth, own, 'backup-home', '--volume', 'of-somebody-else')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /there is no such volume of this instance/)
    const two = await command(berth, folder, 'restore-home', '--all', '--into', beside)
    assert.match(two.stderr, /--into needs one archive/)
    await run('docker', ['volume', 'rm', beside])
    await rm(own, { recursive: true })
  })

  it('refuses an archive that was cut or changed, and a home that exists or is used', async () => {
    const packed = join(folder, `${home}.tar.zst`)
    const bytes = await readFile(packed)
    const tried = () => command(berth, folder, 'restore-home', 'ann', '--replace')
    await truncate(packed, bytes.length - 1000)
    const cut = await tried()
    assert.equal(cut.code, 1)
    assert.match(cut.stderr, /was cut or changed/)
    const changed = Buffer.from(bytes)
    changed[(bytes.length / 2) | 0] = ~(changed[(bytes.length / 2) | 0] ?? 0) & 0xff
    await writeFile(packed, changed)
    assert.match((await tried()).stderr, /its checksum is not that of its manifest/)
    await writeFile(packed, bytes)
    assert.deepEqual(await everythingIn(home), whole)
    const present = await command(berth, folder, 'restore-home', 'ann')
    assert.equal(present.code, 1)
    assert.match(present.stderr, /exists already: with --replace/)
    await visit(berth)
    const used = await tried()
    assert.equal(used.code, 1)
    assert.match(used.stderr, /is used by the container/)
    await removeWorkspace(berth)
  })

  it('replaces all files of a home, and none if the archive cannot be unpacked', async () => {
    await inVolume(home, 'rm /v/thesis /v/large; echo late > /v/late; chmod 700 /v')
    const before = await everythingIn(home)
    // An archive that is as its manifest says, and is no tar.
    const broken = await mkdtemp(join(tmpdir(), 'proof30-broken-'))
    const text = await readFile(join(folder, `${home}.json`), 'utf8')
    await run('sh', ['-c', `head -c 51200 /dev/urandom | zstd -q -o '${broken}/${home}.tar.zst'`])
    const [sha256 = ''] = (await run('sha256sum', [`${broken}/${home}.tar.zst`])).split(' ')
    const { size: bytes } = await stat(`${broken}/${home}.tar.zst`)
    await writeFile(
      `${broken}/${home}.json`,
      JSON.stringify({ ...JSON.parse(text), sha256, bytes }),
    )
    const failed = await command(berth, broken, 'restore-home', 'ann', '--replace')
    await rm(broken, { recursive: true })
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /FAILED: The files could not be copied/)
    assert.deepEqual(await everythingIn(home), before)
    const { code, stderr } = await command(berth, folder, 'restore-home', 'ann', '--replace')
    assert.equal(code, 0, stderr)
    assert.deepEqual(await everythingIn(home), whole)
  })

  it('leaves nothing under the final name when the disk is full or the command is killed', async () => {
    const options = ['--opt', 'type=tmpfs', '--opt', 'device=tmpfs', '--opt', 'o=size=8m']
    await run('docker', ['volume', 'create', ...options, small])
    await run('docker', [
      'run',
      '--detach',
      '--name',
      small,
      '-v',
      `${small}:/backups`,
      '--entrypoint',
      'sleep',
      serviceImage('spawner'),
      '600',
    ])
    // Mounted as long as the container runs.
    const format = ['--format', '{{.Mountpoint}}']
    const disk = (await run('docker', ['volume', 'inspect', ...format, small])).trim()
    const full = await command(berth, disk, 'backup-home', 'ann')
    assert.equal(full.code, 1)
    assert.match(full.stderr, /FAILED: ENOSPC/)
    assert.equal(await run('docker', ['exec', small, 'ls', '-A', '/backups']), '')

    const empty = await mkdtemp(join(tmpdir(), 'proof30-killed-'))
    const volume = ['--volume', `${empty}:/backups`]
    const started = await berth.compose(
      'run',
      '--detach',
      ...volume,
      'spawner',
      'backup-home',
      'ann',
    )
    const id = started.trim().split('\n').at(-1) ?? ''
    await eventually('the backup has begun', 60_000, async () => (await readdir(empty)).length > 0)
    await run('docker', ['kill', id])
    await run('docker', ['rm', '--force', id])
    assert.deepEqual(await readdir(empty), [`${home}.tar.zst.part`])
    const refused = await command(berth, empty, 'restore-home', 'ann', '--replace')
    assert.match(refused.stderr, /there is no such backup/)
    const again = await command(berth, empty, 'backup-home', 'ann')
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual((await readdir(empty)).sort(), both())
    await rm(empty, { recursive: true })
    const left = await Promise.all(
      ['backup', 'restore'].map((role) => servicesOf(berth.engine, berth.instance, role)),
    )
    assert.ok(left.flat().every(({ State }) => State !== 'running'))
  })

  it('restores into an empty instance, whose person gets in and finds every file', async () => {
    await using other = await deploy({ name: 'backup2', settings })
    const file = String(other.settings['BERTH_ENV_FILE'])
    await other.compose('ps')
    const env = { ...composeEnvironment(other.engine), BERTH_ENV_FILE: file }
    const script = (name: string, ...args: string[]) =>
      attempt(process.execPath, [join(surroundings.root, 'scripts', name), ...args], {
        env,
        cwd: surroundings.root,
        withinMs: 120_000,
      })
    const restored = await script('restore.mjs', '--all', '--folder', folder)
    assert.equal(restored.code, 0, restored.stderr)
    for (const name of ['bob-home', 'common'])
      assert.deepEqual(
        await everythingIn(`${other.instance}-${name}`),
        await everythingIn(`${berth.instance}-${name}`),
      )
    const volume = `${other.instance}-ann-home`
    assert.deepEqual(await everythingIn(volume), whole)
    const labels = await run('docker', [
      'volume',
      'inspect',
      '--format',
      '{{json .Labels}}',
      volume,
    ])
    assert.deepEqual(JSON.parse(labels), {
      'berth.instance': other.instance,
      'berth.volume': volume,
      'berth.user': 'ann',
      'berth.subject': 'u-ann',
    })
    await visit(other)
    const read = ['exec', other.workspaceName('ann'), 'cat', '/home/hello/thesis']
    assert.equal(await run('docker', read), 'years of work\n')
    const own = await mkdtemp(join(tmpdir(), 'proof30-own-'))
    const backedUp = await script('backup.mjs', 'ann', '--folder', own)
    assert.equal(backedUp.code, 0, backedUp.stderr)
    assert.deepEqual((await readdir(own)).sort(), [`${volume}.json`, `${volume}.tar.zst`])
    await rm(own, { recursive: true })
  })
})
