// @ts-check
// Instances of test runs: named after the process of the run, and removed once that process has ended.
import { createHash } from 'node:crypto'
import { listInstances, removeInstance } from './instance.mjs'

const PREFIX = 'berthtest'

/**
 * The tag of the images that the tests of one checkout build: those of a running deployment, or of another checkout, stay.
 * @param {string} root
 */
export const testTag = (root) =>
  `test-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`

/** @param {number} pid */
export const testInstanceName = (pid) => `${PREFIX}-${pid}`

/**
 * The instances of this test run, and those that ended test runs left behind.
 * @param {readonly string[]} instances
 * @param {{ own: string, isAlive: (pid: number) => boolean }} state
 */
export const toBeRemoved = (instances, { own, isAlive }) =>
  instances.filter((name) => {
    if (name === own || name.startsWith(`${own}-`)) return true
    const pid = new RegExp(`^${PREFIX}-(\\d+)(?:-|$)`).exec(name)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })

/**
 * @param {string} own
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<string[]>} the names of the removed instances
 */
export const removeTestInstances = async (own, say) => {
  const instances = toBeRemoved(await listInstances(), { own, isAlive })
  for (const instance of instances) await removeInstance(instance, say)
  return instances
}

/** @param {number} pid */
const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
