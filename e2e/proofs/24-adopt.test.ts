// Proof 24: a person who moves in from DockerSpawner finds their files, and one command brings them.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { run } from '../run/command.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

describe('proof 24: volumes from before Berth', () => {
  let berth: Deployment
  let ann: GatewayLike
  const old = `jupyterhub-user-ann-${process.pid}`
  const takeDown = takenDownAtTheEnd(async () => {
    await berth?.[Symbol.asyncDispose]()
    await run('docker', ['volume', 'rm', '--force', old])
  })
  before(async () => {
    berth = await deploy({
      name: 'adopt',
      settings: { CONTAINER_HOME: '/home/hello', CONTAINER_USER: '1000:1000' },
    })
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    ann = asTheGateway(berth, place, 'ann', { host: 'localhost' })
    await run('docker', ['volume', 'create', old])
    await inVolume('echo "years of work" > /v/thesis && chown -R 1000:1000 /v')
  })
  after(takeDown)

  const inVolume = (script: string): Promise<string> =>
    run('docker', ['run', '--rm', '-u', '0', '-v', `${old}:/v`, 'berth/hello', 'sh', '-c', script])
  const adopt = (...args: string[]) =>
    berth.tryCompose({}, 'run', '--rm', '--no-TTY', 'spawner', 'adopt', ...args)

  it('says what is missing, and changes nothing', async () => {
    const none = await adopt()
    assert.equal(none.code, 1)
    assert.match(none.stderr, /adopt VOLUME --template NAME/)
    const noSubject = await adopt(old, '--template', berth.prefix, '--user', 'ann')
    assert.equal(noSubject.code, 1)
    assert.match(noSubject.stderr, /--subject is needed/)
    const elsewhere = await adopt(old, '--template', 'nothing', '--user', 'ann')
    assert.match(elsewhere.stderr, new RegExp(`there is no template nothing: .*${berth.prefix}`))
  })

  it('copies the files into the home, which the person finds at the first visit', async () => {
    const args = ['--template', berth.prefix, '--user', 'ann', '--subject', 'u-ann']
    const { code, stdout, stderr } = await adopt(old, ...args)
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`the files of ${old} are in ${berth.instance}-ann-home`))
    const answer = await ann.ask('/whoami')
    assert.equal(answer.status, 200, await answer.text())
    const name = berth.workspaceName('ann')
    const read = await run('docker', ['exec', name, 'cat', '/home/hello/thesis'])
    assert.equal(read, 'years of work\n')
    await run('docker', ['exec', name, 'sh', '-c', 'echo more >> /home/hello/thesis'])
    assert.equal(await inVolume('cat /v/thesis'), 'years of work\n')
  })
})
