// A bound on how many event streams one person has open at once.
import { BerthError } from '@berth/shared/problems'

export interface StreamLimit {
  /**
   * Counts one more stream until it is disposed of, once.
   *
   * @param key whose, and of what
   * @throws BerthError `limit_connections`
   */
  take(key: string): Disposable
}

/** @param what is limited, as the refusal names it */
export function createStreamLimit(most: number, what: string, advice = ''): StreamLimit {
  const counts = new Map<string, number>()
  return {
    take(key) {
      const count = counts.get(key) ?? 0
      if (count >= most) {
        const detail = `At most ${most} ${what} may be open at once.${advice}`
        throw new BerthError('limit_connections', detail, { details: { limit: most } })
      }
      counts.set(key, count + 1)
      return {
        [Symbol.dispose]() {
          const left = (counts.get(key) ?? 1) - 1
          if (left === 0) counts.delete(key)
          else counts.set(key, left)
        },
      }
    },
  }
}

export const closeTabs = ' Close some tabs.'
