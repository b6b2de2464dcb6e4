// Counts requests, so that a test can check whether a request arrived once, twice or was aborted.
import { sendJson, type Exchange } from './exchange.ts'

export interface Tally {
  requests: number
  /** Requests whose client left before the answer was complete. */
  aborted: number
  openWebSockets: number
  openSockets: number
  readonly counts: Map<string, number>
}

export function createTally(): Tally {
  return { requests: 0, aborted: 0, openWebSockets: 0, openSockets: 0, counts: new Map() }
}

/** /count/<key> adds one and answers with the number; `?peek` does not add. */
export function createCount(tally: Tally): (exchange: Exchange) => void {
  return ({ request, response, rest, query }) => {
    request.resume()
    const key = rest.slice(1)
    const count = (tally.counts.get(key) ?? 0) + (query.has('peek') ? 0 : 1)
    tally.counts.set(key, count)
    sendJson(response, 200, { key, count })
  }
}

export function createStats(tally: Tally): (exchange: Exchange) => void {
  return ({ response }) => {
    sendJson(response, 200, {
      ...tally,
      counts: Object.fromEntries(tally.counts),
      uptimeMs: Math.round(process.uptime() * 1_000),
      rssBytes: process.memoryUsage.rss(),
    })
  }
}
