// @ts-check
// Instances that tests make: named after the process that answers for them, and gone when it is.
import { listInstances, removeInstance } from './instance.mjs'

const PREFIX = 'berthtest'

/** @param {number} pid */
export const testInstanceName = (pid) => `${PREFIX}-${pid}`

/**
 * Which of these are left over from test runs that are no more, and which of the run named here.
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
 * @returns {Promise<string[]>} what was removed
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
