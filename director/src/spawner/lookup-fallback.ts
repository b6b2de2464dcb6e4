// A DNS lookup that returns the last known address while DNS does not answer. The engine's DNS stops with the engine,
// but the spawner still runs then and can answer for itself.
import dns from 'node:dns'
import type { LookupFunction } from 'node:net'

/** The system's code for "no name server answered". An unknown name has another code. */
const unanswered = 'EAI_AGAIN'

/** For one name. */
export function createLookupFallback(lookup: LookupFunction = dns.lookup): LookupFunction {
  let last: Parameters<Parameters<LookupFunction>[2]> | undefined
  return (hostname, options, callback) =>
    lookup(hostname, options, (...answer) => {
      const [error] = answer
      if (error === null) last = answer
      callback(...(error?.code === unanswered && last !== undefined ? last : answer))
    })
}
