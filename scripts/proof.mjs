// @ts-check
// `npm run proof 08`: runs the end-to-end proof of one number, including its set-up.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, isEnding } from './command.mjs'
import { cleanUp, prepareEndToEnd } from './end-to-end.mjs'
import { Failure } from './failure.mjs'
import { prepareDependencies } from './prerequisites.mjs'
import { runScript } from './session.mjs'
import { testInstanceName } from './test-instance.mjs'

const root = join(import.meta.dirname, '..')
const own = testInstanceName(process.pid)
const TIMEOUT_MS = 30 * 60_000

/**
 * @param {string | undefined} number such as `8` or `08`
 * @returns {string[]} the files with that proof; the name of a file with several proofs has all their numbers
 */
const filesOf = (number) => {
  const folder = join(root, 'e2e/proofs')
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
  const wanted = /^\d{1,2}$/.test(number ?? '') ? String(number).padStart(2, '0') : 'none'
  const found = all.filter((file) => file.split(/[/-]/).includes(wanted))
  if (found.length > 0) return found.map((file) => join(folder, file))
  throw new Failure(`there is no proof ${number ?? '(no number was given)'}`, {
    help: `For example npm run proof 08. The files are: ${all.join(', ')}`,
  })
}

await runScript(
  async (progress) => {
    const number = process.argv[2]
    const files = filesOf(number)
    await prepareDependencies({ root, progress })
    const env = await prepareEndToEnd({ root, own, progress })
    try {
      const { code } = await attempt(
        join(root, 'node_modules/.bin/node'),
        ['scripts/test-e2e.mjs', ...files],
        {
          cwd: root,
          env: { ...env, TEST_NAMES: `proof ${Number(number)}:` },
          timeoutMs: TIMEOUT_MS,
          onLine: (line) => progress.line(`  ${line}`),
        },
      )
      if (code !== 0 && !isEnding()) throw new Failure(`proof ${number} failed`)
    } finally {
      if (!isEnding()) await cleanUp(own, progress)
    }
  },
  { onInterrupt: async (progress) => void (await cleanUp(own, progress)) },
)
