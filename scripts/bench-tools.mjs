// @ts-check
// What the benches compare Berth with, and the load generator: from the distribution's packages and from npm. Nothing is
// installed on the machine: nginx would start a service.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { attempt, run } from './command.mjs'
import { ensureExtracted } from './downloaded-tools.mjs'

const CONFIGURABLE_HTTP_PROXY = '5.3.0'
const TIMEOUT_MS = 5 * 60_000

/**
 * @param {string} root
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<NodeJS.ProcessEnv>} for bench/run/tools.ts
 */
export const ensureBenchTools = async (root, say) => {
  const cache = join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const luajit = 'libluajit-5.1-2'
  const wrk = await ensureExtracted(cache, ['wrk', luajit], 'usr/bin/wrk', say)
  const libraries = join(dirname(wrk), '../lib')
  const [architecture = ''] = await readdir(libraries)
  return {
    NGINX: await ensureExtracted(cache, ['nginx'], 'usr/sbin/nginx', say),
    WRK: wrk,
    BENCH_LIBRARIES: join(libraries, architecture),
    CONFIGURABLE_HTTP_PROXY: await ensureConfigurableHttpProxy(cache, say),
  }
}

/**
 * @param {string} cache
 * @param {import('./progress.mjs').Say} say
 */
const ensureConfigurableHttpProxy = async (cache, say) => {
  const folder = join(cache, `configurable-http-proxy-${CONFIGURABLE_HTTP_PROXY}`)
  const program = join(folder, 'node_modules/configurable-http-proxy/bin/configurable-http-proxy')
  const asked = await attempt(process.execPath, [program, '--version'], { timeoutMs: 60_000 })
  if (asked.code === 0) return program
  say(`installing configurable-http-proxy ${CONFIGURABLE_HTTP_PROXY}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  await run(
    'npm',
    [
      'install',
      '--silent',
      '--no-audit',
      '--no-fund',
      '--prefix',
      folder,
      `configurable-http-proxy@${CONFIGURABLE_HTTP_PROXY}`,
    ],
    { timeoutMs: TIMEOUT_MS, help: 'npm must reach its registry.' },
  )
  return program
}
