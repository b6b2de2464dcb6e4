// @ts-check
// The programs that the tests need besides the engine. Missing ones are installed from the distribution's packages.
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { attempt } from './command.mjs'
import { ensurePackages } from './packages.mjs'

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome']
/** A program, and the package that contains it. */
const TOOLS = [
  { program: 'git', packageName: 'git' },
  { program: 'curl', packageName: 'curl' },
  { program: 'docker-registry', packageName: 'docker-registry' },
  { program: 'ip', packageName: 'iproute2' },
  { program: 'ssh', packageName: 'openssh-client' },
  { program: 'rsync', packageName: 'rsync' },
  { program: 'socat', packageName: 'socat' },
  { program: 'getfattr', packageName: 'attr' },
  { program: 'systemd-analyze', packageName: 'systemd' },
]

/**
 * @param {import('./progress.mjs').Say} say
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ chromium: string }>} where the browser is
 */
export const ensureTestTools = async (say, env) => {
  const missing = []
  for (const { program, packageName } of TOOLS) {
    if (!(await findProgram([program], env))) missing.push(packageName)
  }
  let chromium = env['CHROMIUM'] || (await findProgram(BROWSERS, env))
  if (!chromium) missing.push('chromium')
  if (missing.length > 0) await ensurePackages(missing, say)
  // The tests start their own registry. The one that the package may have started is not needed.
  if (missing.includes('docker-registry') && (await isThere('/run/systemd/system'))) {
    await attempt('systemctl', ['disable', '--now', 'docker-registry'], { timeoutMs: 30_000 })
  }
  chromium ??= await findProgram(BROWSERS, env)
  return { chromium: chromium ?? '/usr/bin/chromium' }
}

/**
 * @param {readonly string[]} names the first one that is found is used
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>}
 */
const findProgram = async (names, env) => {
  for (const name of names) {
    for (const folder of (env['PATH'] ?? '').split(delimiter)) {
      if (folder && (await isThere(join(folder, name), constants.X_OK))) return join(folder, name)
    }
  }
  return undefined
}

/**
 * @param {string} path
 * @param {number} [mode]
 */
const isThere = (path, mode = constants.F_OK) =>
  access(path, mode).then(
    () => true,
    () => false,
  )
