// @ts-check
// The tests use a `docker` of their own: a script in the place of the engine and Compose.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { createCompose } from './compose.mjs'
import { Failure } from './failure.mjs'
import { createServiceWatch } from './service-watch.mjs'
import { readSettings } from './settings.mjs'

const folder = await mkdtemp(join(tmpdir(), 'berth-service-watch-'))
const path = process.env['PATH'] ?? ''
process.env['PATH'] = `${folder}${delimiter}${path}`
after(async () => {
  process.env['PATH'] = path
  await rm(folder, { recursive: true })
})

/**
 * @param {{ inspect: string, logs?: string, afterCompose?: boolean }} answers what the script prints, at once or only after Compose was called
 */
const engineSays = async ({ inspect, logs = '', afterCompose = false }) => {
  const script = `#!/bin/sh
case "$1" in
  compose) touch ${folder}/begun; exec sleep 60 ;;
  ps) ${afterCompose ? `test ! -e ${folder}/begun || ` : ''}echo an-id ;;
  inspect) printf '%b' '${inspect}' ;;
  rm) echo "$@" >> ${folder}/removed ;;
  logs) printf '%b' '${logs}' >&2 ;;
esac
`
  await writeFile(join(folder, 'docker'), script)
  await chmod(join(folder, 'docker'), 0o755)
}

const say = Object.assign(() => undefined, { passing: () => undefined })

test('names a service that ends each time it is started, and shows the end of its log once', async () => {
  await engineSays({
    inspect: 'id-2\\tberth-director-1\\tdirector\\t0\\trunning\\thealthy\\n',
  })
  const watch = await createServiceWatch('berth')
  assert.equal(await watch.failure(), undefined, 'no service failed')

  await engineSays({
    inspect:
      'id-1\\tberth-spawner-1\\tspawner\\t2\\trestarting\\tstarting\\nid-2\\tberth-director-1\\tdirector\\t0\\trunning\\thealthy\\n',
    logs: 'the configuration has 1 problem(s)\\n  MAX_WORKSPACES "abc" must be a whole number\\n'.repeat(
      3,
    ),
  })
  const failure = await watch.failure()
  assert.ok(failure instanceof Failure)
  assert.match(failure.message, /the service spawner ended each time that it was started/)
  assert.deepEqual(failure.lines, [
    'the configuration has 1 problem(s)',
    '  MAX_WORKSPACES "abc" must be a whole number',
  ])
  assert.match(failure.help ?? '', /docker logs berth-spawner-1/)
})

test('ignores a single restart, and restarts before this start', async () => {
  await engineSays({ inspect: 'id-1\\tname\\tspawner\\t5\\trunning\\thealthy\\n' })
  const watch = await createServiceWatch('berth')
  for (const count of [5, 6]) {
    await engineSays({ inspect: `id-1\\tname\\tspawner\\t${count}\\trestarting\\tstarting\\n` })
    assert.equal(await watch.failure(), undefined)
  }
})

test('removes a container that still restarts since an earlier start', async () => {
  await engineSays({
    inspect:
      'id-1\\tname\\tspawner\\t9\\trunning\\tstarting\\nid-2\\tname\\tdirector\\t9\\trunning\\thealthy\\n',
  })
  await createServiceWatch('berth')
  assert.equal(await readFile(join(folder, 'removed'), 'utf8'), 'rm --force id-1\n')
})

test('stops waiting for Compose once a service has failed', { timeout: 20_000 }, async () => {
  await engineSays({
    afterCompose: true,
    inspect: 'id-1\\tberth-spawner-1\\tspawner\\t3\\trestarting\\tstarting\\n',
    logs: 'MAX_WORKSPACES "abc" must be a whole number\\n',
  })
  const compose = createCompose({
    root: folder,
    settings: readSettings({ environmentFile: join(folder, 'none'), file: {}, env: {} }),
    gateway: 'apache',
    env: process.env,
  })
  await assert.rejects(compose.up(say), (error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, /the service spawner ended/)
    assert.deepEqual(error.lines, ['MAX_WORKSPACES "abc" must be a whole number'])
    return true
  })
})

test('removes a container that is unhealthy since an earlier start: Compose would give up because of it at once', async () => {
  await rm(join(folder, 'removed'), { force: true })
  await engineSays({
    inspect:
      'id-1\\tname\\tdirector\\t0\\trunning\\tunhealthy\\nid-2\\tname\\tidp\\t0\\trunning\\thealthy\\n',
  })
  await createServiceWatch('berth')
  assert.equal(await readFile(join(folder, 'removed'), 'utf8'), 'rm --force id-1\n')
})
