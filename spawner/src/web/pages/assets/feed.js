// @ts-check
// How the status of a workspace reaches a page. Browsers open only about six connections to a host, so all tabs of a host
// share one stream of events, which the tab that holds a lock reads and passes on; a hidden tab reads none. What a silent
// or missing stream does not tell, a tab asks. So a page never depends on the stream.

/**
 * @typedef {{ phase: string, state: string, ms?: number }} Step
 * @typedef {{ workspace: string, phase: string, position?: number, etaMs?: number, elapsedMs: number, endsAt?: string,
 *   extensionMs?: number, outdated?: boolean, waitsFor?: string, pullPercent?: number, problem?: { code: string },
 *   cancelled?: boolean, lastUseAgoMs?: number, steps: Step[] }} Status
 */

/** Above the 15 s between two heartbeats of the stream. */
const silenceMs = 20_000
/** The first status comes at once, unless something holds the stream back. */
const firstSilenceMs = 3_000
/** How often a tab asks that hears of no stream. */
const askEveryMs = 2_000
/** Less than the 30 s after which a person who waits counts as gone. */
const askHiddenEveryMs = 10_000
/** When a stream that said nothing is tried again. */
const streamAgainMs = 60_000
const mostBackoffMs = 15_000
/** A step of the clock that no tick explains: the machine slept, or the browser had suspended the page. */
const sleptMs = 10_000

/** @returns {Promise<Status | 'signed-out' | undefined>} */
export async function ask(/** @type {string} */ base) {
  try {
    // A service worker of the application may answer from its cache, but not for an address that it has never seen.
    const fresh = navigator.serviceWorker?.controller ? `?at=${Date.now()}` : ''
    const response = await fetch(`${base}/.berth/status${fresh}`, {
      headers: { accept: 'application/json' },
      cache: 'no-store',
      // A gateway may redirect a person who is signed out. Following that would look like a network error here.
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
    })
    if (response.status === 401 || response.type === 'opaqueredirect') return 'signed-out'
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}

/**
 * @param {{
 *   base: string,
 *   clock: string,
 *   asksWhileHidden: boolean,
 *   heard: (status: Status, sure: boolean) => void,
 *   signedOut: () => void,
 * }} options `clock`: the address of the worker that ticks. `sure`: no change was missed since the last status
 * @returns {() => void} ends it
 */
export function follow({ base, clock, asksWhileHidden, heard, signedOut }) {
  const channel =
    'BroadcastChannel' in globalThis ? new BroadcastChannel(`berth${base}`) : undefined
  let live = true
  let sure = false
  let asking = false
  let failures = 0
  let tickedAt = Date.now()
  let askAt = performance.now() + firstSilenceMs
  /** @type {EventSource | undefined} */
  let source
  let sourceHeard = false
  let sourceAt = 0
  let openAt = 0
  let streamFailures = 0
  /** @type {(() => void) | undefined} */
  let unlock

  // ---- what is heard

  /** The tabs do not all ask at the same moment: the answer to the first one reaches the others. */
  function askWithin(/** @type {number} */ ms) {
    askAt = performance.now() + ms * (0.75 + Math.random() / 2)
  }

  function askedLater(/** @type {boolean} */ streaming) {
    failures = 0
    if (streaming) askAt = performance.now() + silenceMs + Math.random() * askEveryMs
    else askWithin(document.hidden ? askHiddenEveryMs : askEveryMs)
  }

  /** @param {Status} status @param {boolean} streaming another message will follow without a question */
  function take(status, streaming) {
    const wasSure = sure
    sure = true
    askedLater(streaming)
    heard(status, wasSure)
  }

  if (channel !== undefined)
    channel.onmessage = ({ data }) => {
      if (data.status === undefined) askedLater(data.streaming)
      else take(data.status, data.streaming)
    }

  async function askNow() {
    if (asking) return
    asking = true
    const answer = await ask(base)
    asking = false
    if (!live) return
    if (answer === 'signed-out') return signedOut()
    if (answer === undefined) {
      sure = false
      askWithin(Math.min(1_000 * 2 ** failures, mostBackoffMs))
      failures += 1
      return
    }
    channel?.postMessage({ status: answer, streaming: false })
    take(answer, false)
  }

  // ---- the stream

  function openStream() {
    sourceHeard = false
    sourceAt = performance.now()
    source = new EventSource(`${base}/.berth/events`)
    source.addEventListener('phase', ({ data }) => {
      const status = JSON.parse(data)
      streamSpoke()
      channel?.postMessage({ status, streaming: true })
      take(status, true)
    })
    source.addEventListener('beat', () => {
      streamSpoke()
      channel?.postMessage({ streaming: true })
      askedLater(true)
    })
    source.addEventListener('error', () =>
      giveStreamUp(Math.min(askEveryMs * 2 ** streamFailures++, streamAgainMs)),
    )
  }

  function streamSpoke() {
    streamFailures = 0
    sourceHeard = true
    sourceAt = performance.now()
  }

  function giveStreamUp(/** @type {number} */ againMs) {
    closeStream()
    sure = false
    openAt = performance.now() + againMs
    askWithin(askEveryMs / 2)
  }

  function closeStream() {
    source?.close()
    source = undefined
  }

  /** Without locks (a page over plain HTTP), each tab asks instead. */
  function lead() {
    if (document.hidden || !live || unlock !== undefined || navigator.locks === undefined) return
    const ended = new AbortController()
    unlock = () => ended.abort()
    const held = () =>
      new Promise((/** @type {(value?: undefined) => void} */ release) => {
        unlock = () => {
          closeStream()
          release()
        }
        openStream()
      })
    navigator.locks.request('berth', { signal: ended.signal }, held).catch(() => undefined)
  }

  function stopLeading() {
    unlock?.()
    unlock = undefined
    openAt = 0
  }

  // ---- time

  function tick() {
    const now = performance.now()
    const slept = Math.abs(Date.now() - tickedAt) > sleptMs
    tickedAt = Date.now()
    if (source !== undefined) {
      // After a sleep the connection may be half open: nothing would ever come.
      if (slept) giveStreamUp(0)
      else if (now - sourceAt > (sourceHeard ? silenceMs : firstSilenceMs))
        giveStreamUp(streamAgainMs)
    } else if (unlock !== undefined && openAt > 0 && now >= openAt) {
      openAt = 0
      openStream()
    }
    if (slept) askAt = now
    if (now >= askAt && (!document.hidden || asksWhileHidden)) void askNow()
  }

  function seen() {
    if (document.hidden) {
      stopLeading()
      return askWithin(askHiddenEveryMs)
    }
    askAt = performance.now()
    lead()
  }

  /** @type {Worker | undefined} */
  let worker
  const timer = setInterval(tick, 1_000)
  try {
    worker = new Worker(clock)
    worker.onmessage = tick
    worker.onerror = () => worker?.terminate()
  } catch {
    // The timer of the page ticks anyway.
  }
  document.addEventListener('visibilitychange', seen)
  addEventListener('online', seen)
  lead()

  return () => {
    live = false
    stopLeading()
    channel?.close()
    worker?.terminate()
    clearInterval(timer)
    document.removeEventListener('visibilitychange', seen)
    removeEventListener('online', seen)
  }
}
