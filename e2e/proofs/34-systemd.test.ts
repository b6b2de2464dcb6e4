// Proof 34: systemd accepts the unit of docs/set-up.md. What it does not understand it would ignore at a start.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { attempt } from '../run/command.ts'
import { surroundings } from '../run/surroundings.ts'

describe('proof 34: the unit of systemd', () => {
  let folder: string
  let unit: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-unit-'))
    unit = await readFile(join(surroundings.root, 'docs/systemd/berth.service'), 'utf8')
    // The unit of the engine, which a machine has whose engine was not installed from a package.
    await writeFile(join(folder, 'docker.service'), '[Service]\nExecStart=/bin/true\n')
  })
  after(() => rm(folder, { recursive: true }))

  /** @returns what systemd complains about */
  async function complaintsAbout(text: string): Promise<string> {
    const file = join(folder, 'berth.service')
    await writeFile(file, text)
    const { code, stdout, stderr } = await attempt(
      'systemd-analyze',
      ['verify', '--man=no', '--recursive-errors=no', file],
      { env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } },
    )
    return `${stdout}${stderr}`.trim() || (code === 0 ? '' : `ended with ${code}`)
  }

  it('is one that systemd understands, line by line', async () => {
    assert.equal(await complaintsAbout(unit), '')
  })

  it('would be refused with a line that systemd does not know', async () => {
    assert.match(
      await complaintsAbout(unit.replace('ExecReload=', 'ExecRelaod=')),
      /Unknown key (name )?'ExecRelaod'/,
    )
    assert.match(
      await complaintsAbout(
        unit.replace('/usr/bin/docker compose up', '/nowhere/docker compose up'),
      ),
      /\/nowhere\/docker/,
    )
  })
})
