// Proof 33: Prometheus accepts the files of docs/monitoring, each alert fires when it should, and each panel has a valid query.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { run } from '../run/command.ts'
import { surroundings } from '../run/surroundings.ts'

const folder = join(surroundings.root, 'docs/monitoring')
const promtool = (...args: string[]) => run(join(surroundings.prometheus, 'promtool'), args)

describe('proof 33: alerts and dashboard', () => {
  it('are files that Prometheus accepts', async () => {
    assert.match(await promtool('check', 'config', join(folder, 'prometheus.yml')), /SUCCESS/)
  })

  it('fire each alert when they should, and not before', async () => {
    assert.match(await promtool('test', 'rules', join(folder, 'alerts.test.yml')), /SUCCESS/)
  })

  it('have a valid query in each panel', async () => {
    const { panels } = JSON.parse(await readFile(join(folder, 'dashboard.json'), 'utf8')) as {
      panels: { targets?: { expr: string }[] }[]
    }
    const rules = panels
      .flatMap(({ targets = [] }) => targets)
      .map(({ expr }, n) => ({ record: `panel:${n}`, expr: expr.replaceAll('$template', '.*') }))
    const work = await mkdtemp(join(tmpdir(), 'berth-panels-'))
    try {
      const file = join(work, 'panels.yml')
      await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
      assert.match(
        await promtool('check', 'rules', file),
        new RegExp(`${rules.length} rules found`),
      )
    } finally {
      await rm(work, { recursive: true })
    }
  })
})
