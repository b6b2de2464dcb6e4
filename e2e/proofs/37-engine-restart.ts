// Proof 37, the engine: it is restarted beneath an open session of psql, without live-restore and with it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import type { OwnEngine } from '../engine/own-engine.ts'
import { buildPostgres } from '../engine/postgres-image.ts'
import { attempt, run } from '../run/command.ts'
import { within } from '../run/deadline.ts'

/** @param engine it has live-restore at the end */
export function restartBeneathTcp(engine: () => OwnEngine): void {
  describe('proof 37: restart of the engine beneath a connection by TCP', () => {
    const own = process.pid.toString(36)
    const image = `berth-e2e-postgres-${own}-engine`
    const port = 15_432
    let berth: Deployment
    let host = ''

    const templates = `
templates:
  database:
    image: ${image}
    prefix: dbe${own}
    kind: tcp
    mem_limit: 256m
    port: 5432
    route: { port: ${port} }
    sources: { ann: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16] }
`

    before(async () => {
      await buildPostgres(image)
      await engine().load([image])
      berth = await deploy({
        name: 'tcpengine',
        engine: engine().engine,
        templates,
        settings: { TCP_PORTS: String(port), RECONCILE_EVERY: '2s' },
        reach: (each) => engine().reach('127.0.0.1', each),
      })
      await findDirector()
    })
    after(async () => {
      await berth?.[Symbol.asyncDispose]()
      await attempt('docker', ['image', 'rm', '--force', image])
    })

    async function findDirector(): Promise<void> {
      const [director] = await berth.services('director')
      host = director?.NetworkSettings.Networks[`${berth.instance}-front`]?.IPAddress ?? ''
      // The gateway tells who ann is. No workspace is started.
      const place = await engine().reach(host, 8080)
      const answer = await asTheGateway(berth, place, 'ann').ask('/.berth/status')
      assert.equal(answer.status, 200, await answer.text())
    }

    const psql = (...more: string[]): string[] => [
      ...['run', '--rm', '--interactive', '--network', engine().network, image],
      ...['psql', '-h', host, '-p', String(port), '-d', 'postgres', '-At', ...more],
    ]
    const ask = async (sql: string): Promise<string> =>
      (await run('docker', psql('-c', sql), { withinMs: 150_000 })).trim()

    /** A session that stays open. */
    function session() {
      const child = spawn('docker', psql('-q', '-v', 'ON_ERROR_STOP=1'), { stdio: 'pipe' })
      child.stdin.on('error', () => undefined)
      let errors = ''
      child.stderr.on('data', (bytes) => (errors += String(bytes)))
      const ended = once(child, 'close').then(([code]) => ({ code: Number(code), errors }))
      const lines = createInterface(child.stdout)
      return {
        ended,
        say: (sql: string): void => void child.stdin.write(`${sql}\n`),
        async ask(sql: string): Promise<string> {
          const line = once(lines, 'line') as Promise<[string]>
          child.stdin.write(`${sql}\n`)
          const [answer] = await within(150_000, `an answer to ${sql}`, line)
          return answer
        },
        end: (): void => void child.stdin.end(),
      }
    }

    it('ends the session with the containers, and the next one starts the workspace again, with its data', async () => {
      const open = session()
      assert.equal(
        await open.ask('create table kept as select 7 as seven; select seven from kept;'),
        '7',
      )
      open.say('select pg_sleep(600);')
      await engine().end('SIGTERM')
      const { code, errors } = await within(30_000, 'the end of psql', open.ended)
      assert.notEqual(code, 0)
      assert.match(errors, /server closed the connection unexpectedly|terminating connection/)
      await engine().start({ liveRestore: true })
      await berth.reconfigure({})
      await findDirector()
      assert.equal(await ask('select seven from kept'), '7')
    })

    it('leaves the session as it is with live-restore, while the engine is away and after that', async () => {
      const open = session()
      const five = await open.ask(
        'create temp table mine as select 5 as five; select five from mine;',
      )
      assert.equal(five, '5')
      await engine().end('SIGKILL')
      assert.equal(await open.ask('select five + 1 from mine;'), '6')
      await engine().start({ liveRestore: true })
      assert.equal(await open.ask('select five + 2 from mine;'), '7')
      assert.equal(await ask('select seven from kept'), '7')
      assert.equal(await open.ask('select five + 3 from mine;'), '8')
      open.end()
      assert.equal((await within(30_000, 'the end of psql', open.ended)).code, 0)
    })
  })
}
