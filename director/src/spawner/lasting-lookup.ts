// Where a name led last. The engine's DNS goes with the engine; the spawner is still there then, and can say so.
import dns from 'node:dns'
import type { LookupFunction } from 'node:net'

/** What the system says when nobody answers it, not when a name is unknown. */
const unanswered = 'EAI_AGAIN'

/** For one name. */
export function createLastingLookup(lookup: LookupFunction = dns.lookup): LookupFunction {
  let last: Parameters<Parameters<LookupFunction>[2]> | undefined
  return (hostname, options, callback) =>
    lookup(hostname, options, (...answer) => {
      const [error] = answer
      if (error === null) last = answer
      callback(...(error?.code === unanswered && last !== undefined ? last : answer))
    })
}
