// Proof 35: the descriptions of the API are true, the one for scripts and the one of the portal: Schemathesis makes requests
// from them, valid and invalid ones, and judges every answer by them.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { createApi } from '../clients/api.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Place } from '../clients/place.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { attempt } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { surroundings } from '../run/surroundings.ts'

const fewestCases = 500
/** Streams do not end by themselves, and the client waits for the whole answer. */
const streams = ['followEvents']
const streamsOfWorkspaces = [...streams, 'showLogs']

/** Whether a start needs a user follows from the template, which a schema cannot say. */
const startsForNobody = `[[operations]]
include-operation-id = "startWorkspace"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 403, 404, 409, 429]
`

interface Judged {
  readonly place: Place
  readonly headers: Readonly<Record<string, string>>
  readonly configuration?: string
  /** Ids of operations. */
  readonly without: readonly string[]
  /** For each operation, of those that are drawn at random. */
  readonly examples: number
}

/** @param deployment with API_TOKEN and the portal, and without a workspace */
export function theDescriptionOfTheApi(deployment: () => Deployment): void {
  describe('proof 35: the description of the API', () => {
    let berth: Deployment
    before(() => {
      berth = deployment()
    })

    async function judgeForScripts(
      configuration: string,
      without: readonly string[],
    ): Promise<number> {
      const place = await berth.apiPlace()
      const headers = { Authorization: `Bearer ${berth.settings['API_TOKEN'] ?? ''}` }
      return judge({ place, headers, configuration, without, examples: 80 })
    }

    /** The portal's: the gateway has signed the person in, and the browser says that its page asks. */
    async function judgeOfPortal(
      user: string,
      groups: string,
      more: Pick<Judged, 'configuration' | 'without'>,
    ): Promise<number> {
      const [place] = await berth.directorPlaces()
      assert.ok(place)
      const { origin } = berth.siteAt('portal.localhost')
      const headers = {
        Host: new URL(origin).host,
        Origin: origin,
        'Berth-Gateway-Secret': berth.gatewaySecret,
        'X-Forwarded-Preferred-Username': user,
        'X-Forwarded-User': `u-${user}`,
        'X-Forwarded-Groups': groups,
      }
      return judge({ place, headers, ...more, examples: 15 })
    }

    /** @returns how many requests were made; each answer was as described */
    async function judge(judged: Judged): Promise<number> {
      const { place, headers, configuration = '', without, examples } = judged
      assert.ok('host' in place)
      const { host, port } = place
      const folder = await mkdtemp(join(tmpdir(), 'schemathesis-'))
      const file = join(folder, 'schemathesis.toml')
      // A body that is too large is refused as such, although it is also invalid.
      const expected = '[400, 401, 403, 404, 405, 406, 409, 413, 415]'
      const checks = `[checks.negative_data_rejection]\nexpected-statuses = ${expected}\n`
      await writeFile(file, `${configuration}\n${checks}\n${startsForNobody}`)
      const excluded = without.flatMap((id) => ['--exclude-operation-id', id])
      const { code, stdout, stderr } = await attempt(
        surroundings.schemathesis,
        [
          ...['--config-file', file, 'run', `http://${host}:${port}/api/v1/openapi.json`],
          ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
          ...['--phases', 'examples,coverage,fuzzing', '--checks', 'all'],
          ...['--max-examples', String(examples)],
          ...[
            '--request-timeout',
            '20',
            '--seed',
            '35',
            '--no-color',
            '--generation-database',
            'none',
          ],
          ...excluded,
        ],
        { withinMs: 150_000, cwd: folder },
      )
      await rm(folder, { recursive: true })
      const short = `${stdout}\n${stderr}`.split('\n').map((line) => line.slice(0, 300))
      assert.equal(code, 0, short.slice(-120).join('\n'))
      return Number(/(\d+) generated/.exec(stdout)?.[1])
    }

    it('is what every answer follows, while there is no workspace', async () => {
      const cases = await judgeForScripts('', streams)
      assert.ok(cases >= fewestCases, `only ${cases} requests were made`)
    })

    it('is what every answer about a workspace follows', async () => {
      const api = await createApi(berth)
      const started = await api.call('POST', '/api/v1/workspaces', {
        template: 'plain',
        user: 'ann',
        subject: 'u-ann',
      })
      const { name } = await started.json<{ name: string }>()
      assert.equal(started.status, 202)
      await eventually('it is ready', 60_000, async () => {
        const { phase } = await api.read<{ phase: string }>(`/api/v1/workspaces/${name}`)
        return phase === 'ready'
      })
      const cases = await judgeForScripts(
        `[parameters]\n"path.name" = "${name}"`,
        streamsOfWorkspaces,
      )
      assert.ok(cases > 100, `only ${cases} requests were made`)
      const removed = await api.call('DELETE', `/api/v1/workspaces/${name}`)
      removed.leave()
    })

    it('is what every answer of the portal follows, for an administrator', async () => {
      const cases = await judgeOfPortal('root', 'admins', { without: streams })
      assert.ok(cases > 100, `only ${cases} requests were made`)
    })
  })
}
