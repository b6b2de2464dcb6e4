// @ts-check
// `npm run bench`: prepares this machine for bench/main.ts, and runs it. The programs that are compared are kept in
// node_modules/.cache.
import { join } from 'node:path'
import { attempt, isEnding } from './command.mjs'
import { ensureBenchTools } from './bench-tools.mjs'
import { cleanUp, prepareEndToEnd } from './end-to-end.mjs'
import { Failure } from './failure.mjs'
import { prepareDependencies } from './prerequisites.mjs'
import { runScript } from './session.mjs'
import { testInstanceName } from './test-instance.mjs'

const root = join(import.meta.dirname, '..')
const own = testInstanceName(process.pid)
const TIMEOUT_MS = 40 * 60_000

await runScript(
  async (progress) => {
    await prepareDependencies({ root, progress })
    const env = await prepareEndToEnd({ root, own, progress })
    const tools = await progress.step(
      'peers',
      (say) => ensureBenchTools(root, say),
      () => 'nginx, Caddy, configurable-http-proxy and wrk are here',
    )
    try {
      const { code } = await attempt(
        join(root, 'node_modules/.bin/node'),
        ['bench/main.ts', ...process.argv.slice(2)],
        {
          cwd: root,
          env: { ...env, ...tools },
          timeoutMs: TIMEOUT_MS,
          onLine: (line) => progress.line(`  ${line}`),
        },
      )
      if (code !== 0 && !isEnding())
        throw new Failure('the bench failed, or a case has become worse')
    } finally {
      if (!isEnding()) await cleanUp(own, progress)
    }
  },
  { onInterrupt: async (progress) => void (await cleanUp(own, progress)) },
)
