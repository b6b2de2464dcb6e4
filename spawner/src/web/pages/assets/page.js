// @ts-check
// The script of all pages: shows the progress of a start and opens the workspace when it is ready. The pages work
// without it, only more slowly. It has over 300 lines because it is one file on purpose: one request, under a name with
// the hash of its content. Modules would need the hashed names of each other, and so a build step.

/**
 * @typedef {{ phase: string, state: string, ms?: number }} Step
 * @typedef {{ workspace: string, phase: string, position?: number, etaMs?: number, elapsedMs: number,
 *   waitsFor?: string, pullPercent?: number, problem?: { code: string }, steps: Step[] }} Status
 * @typedef {{ tab: string, heading: string, lead: string }} Words
 */

const { body } = document
const here = () => location.pathname + location.search + location.hash
/** Where the person wants to go; set only on pages below `/.berth/`, which are not at that address themselves. */
const target = body.dataset['to']
/** The path of the route, which comes before `/.berth/`. */
const base = body.dataset['base'] ?? ''

/** @type {(() => void) | undefined} */
let unfollow
let shownPhase = body.dataset['phase'] ?? ''
let elapsedFrom = performance.now() - Number(element('elapsed')?.dataset['ms'] ?? 0)
let stepFrom = performance.now()
/** @type {Status | undefined} */
let last
/** True until the first event, and again after the stream broke: this page may have missed a change. */
let unsure = true

// ---- leaving

/**
 * Opens the address that the person wants. A reload keeps path, query and fragment (`location.replace` to the same
 * address with a fragment would not load anything). If this leads back here again and again, each round waits longer.
 */
function leave() {
  const waitMs = leavingDelay()
  stopFollowing()
  setTimeout(() => (target === undefined ? location.reload() : location.replace(target)), waitMs)
}

/** Loads this page again. */
function reloadPage() {
  const waitMs = leavingDelay()
  stopFollowing()
  setTimeout(() => location.reload(), waitMs)
}

function leavingDelay() {
  const key = 'berth-leaving'
  const now = Date.now()
  try {
    const [count = 0, at = 0] = JSON.parse(sessionStorage.getItem(key) ?? '[]')
    const round = now - at < 60_000 ? count + 1 : 0
    sessionStorage.setItem(key, JSON.stringify([round, now]))
    // The first two rounds do not wait: often the workspace is ready at once.
    return round < 2 ? 0 : Math.min(500 * 2 ** (round - 2), 15_000)
  } catch {
    // The browser may forbid storage. Then every reload waits a little.
    return performance
      .getEntriesByType('navigation')
      .some((entry) => 'type' in entry && entry.type === 'reload')
      ? 2_000
      : 0
  }
}

// ---- loading

function stopFollowing() {
  unfollow?.()
  unfollow = undefined
}

function followLoading() {
  /** @type {EventSource | undefined} */
  let source
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let failures = 0
  let live = true
  const ticking = setInterval(tick, 1_000)
  unfollow = () => {
    live = false
    source?.close()
    clearTimeout(timer)
    clearInterval(ticking)
  }

  function listen() {
    if (!live) return
    source = new EventSource(`${base}/.berth/events`)
    source.addEventListener('phase', (event) => {
      failures = 0
      heard(JSON.parse(event.data))
    })
    source.addEventListener('error', () => {
      unsure = true
      // CONNECTING: the browser reconnects by itself. CLOSED: the answer was not a stream, and the browser gave up.
      if (source?.readyState === EventSource.CLOSED) pollLater()
    })
  }

  function pollLater() {
    if (!live) return
    clearTimeout(timer)
    timer = setTimeout(poll, Math.min(1_000 * 2 ** failures, 15_000) * (0.75 + Math.random() / 2))
    failures += 1
  }

  async function poll() {
    const answer = await ask()
    if (!live) return
    if (answer === 'signed-out') return reloadPage()
    if (answer === undefined) return pollLater()
    heard(answer)
    listen()
  }

  listen()
  addEventListener('pagehide', () => source?.close())
  addEventListener('pageshow', (event) => {
    if (event.persisted) reloadPage()
  })
}

/** @returns {Promise<Status | 'signed-out' | undefined>} */
async function ask() {
  try {
    const response = await fetch(`${base}/.berth/status`, {
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

/** @param {Status} status */
function heard(status) {
  const wasUnsure = unsure
  unsure = false
  // Only a request to the workspace itself wakes a frozen one, so this page goes there.
  if (status.phase === 'ready' || status.phase === 'frozen') {
    show(status)
    leave()
    return
  }
  if (status.phase === 'failed' || status.problem !== undefined) return reloadPage()
  if (status.phase !== 'absent' && status.phase !== 'stopped') return show(status)
  // The workspace is not starting. A reload starts it again where the person was waiting for that: after a stop, or
  // when the spawner may have lost the queue. Otherwise the start was cancelled: show that without starting anything.
  if (wasUnsure || last?.phase === 'stopping' || target !== undefined) return reloadPage()
  stopFollowing()
  location.replace(`${base}/.berth/?to=${encodeURIComponent(here())}`)
}

/** @param {Status} status */
function show(status) {
  last = status
  elapsedFrom = performance.now() - status.elapsedMs
  stepFrom = performance.now() - (status.steps.find((step) => step.state === 'now')?.ms ?? 0)
  body.dataset['phase'] = status.phase
  body.dataset['position'] = status.position === undefined ? '' : String(status.position)
  body.dataset['workspace'] = status.workspace
  const words = wordsFor(status)
  const changed = status.phase !== shownPhase || text('heading') !== words.heading
  shownPhase = status.phase
  document.title = `${words.tab} · ${body.dataset['site'] ?? ''}`
  setText('heading', words.heading)
  setText('lead', words.lead)
  setText('estimate', status.etaMs === undefined ? '' : estimateText(status.etaMs))
  element('estimate-fact')?.toggleAttribute('hidden', status.etaMs === undefined)
  element('cancel')?.toggleAttribute('hidden', status.phase !== 'queued')
  for (const step of status.steps) showStep(step, status.pullPercent)
  tick()
  // Screen readers read this out: each change once, not every second.
  if (changed) setText('announcement', `${words.heading}. ${words.lead}`)
}

/** @param {Step} step @param {number | undefined} percent */
function showStep(step, percent) {
  const item = document.querySelector(`[data-step="${step.phase}"]`)
  if (!(item instanceof HTMLElement)) return
  item.dataset['state'] = step.state
  if (step.state === 'now') item.setAttribute('aria-current', 'step')
  else item.removeAttribute('aria-current')
  /** @type {Record<string, string>} */
  const states = JSON.parse(element('steps')?.dataset['states'] ?? '{}')
  const state = item.querySelector('[data-part="state"]')
  if (state !== null) state.textContent = states[step.state] ?? ''
  const took = item.querySelector('[data-part="took"]')
  if (took !== null && step.state !== 'now')
    took.textContent = step.ms === undefined ? '' : spanText(step.ms)
  const pull = item.querySelector('[data-part="pull"]')
  if (!(pull instanceof HTMLProgressElement)) return
  pull.hidden = percent === undefined
  if (percent !== undefined) pull.value = percent
}

function tick() {
  setText('elapsed', clockText(performance.now() - elapsedFrom))
  const took = document.querySelector('[data-state="now"] [data-part="took"]')
  if (took === null || last === undefined) return
  const percent = last.pullPercent === undefined ? '' : `${last.pullPercent} % · `
  took.textContent = percent + spanText(performance.now() - stepFrom)
}

/** @param {Status} status @returns {Words} */
function wordsFor({ phase, position, waitsFor, pullPercent }) {
  /** @type {Record<string, Words>} */
  const all = JSON.parse(element('steps')?.dataset['words'] ?? '{}')
  const number = phase === 'queued' ? position : pullPercent
  const words = all[number === undefined ? phase : `${phase}-at`] ?? {
    tab: phase,
    heading: phase,
    lead: '',
  }
  const fill = (/** @type {string} */ sentence) => sentence.replace('{number}', String(number))
  /** @type {Record<string, string>} */
  const waits = JSON.parse(element('steps')?.dataset['waits'] ?? '{}')
  const lead = (phase === 'queued' && waitsFor !== undefined && waits[waitsFor]) || words.lead
  return { tab: fill(words.tab), heading: fill(words.heading), lead }
}

// ---- other pages

/** Reloads a page that has no stream of events, as soon as the server answers. */
function askAgain(/** @type {number} */ seconds) {
  setTimeout(async () => {
    const answer = await ask()
    if (answer === undefined) askAgain(Math.min(seconds * 2, 60))
    else location.reload()
  }, seconds * 1_000)
}

/** Browsers do not send the fragment of an address, so the forms take it along from here. */
function carryFragment() {
  for (const field of document.querySelectorAll('input[name="to"]')) {
    if (!(field instanceof HTMLInputElement) || location.hash === '' || target !== undefined)
      continue
    const cancels = field.form?.getAttribute('action') === `${base}/.berth/cancel`
    field.value = cancels ? `${base}/.berth/?to=${encodeURIComponent(here())}` : here()
  }
}

/** Ignores a second click while the first is still being sent. */
function guardForms() {
  for (const form of document.forms) {
    form.addEventListener('submit', () => {
      // Later, because the browser reads the values of the form first.
      setTimeout(() => form.querySelector('button')?.setAttribute('disabled', ''))
    })
  }
}

/** The reason of a failure is at the end of the log. */
function showLastLines() {
  const log = element('log')
  if (log !== null) log.scrollTop = log.scrollHeight
}

function offerCopy() {
  const button = document.querySelector('[data-copy]')
  const source = element('log')
  if (!(button instanceof HTMLButtonElement) || source === null) return
  // Only pages in a secure context (HTTPS or localhost) may use the clipboard.
  if (navigator.clipboard === undefined) return
  button.hidden = false
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.textContent ?? '')
      button.textContent = 'Copied'
    } catch {
      getSelection()?.selectAllChildren(source)
      button.textContent = 'Selected'
    }
    setTimeout(() => (button.textContent = 'Copy'), 2_000)
  })
}

// ---- durations as text, the same as in durations.ts

/** @param {number} ms */
function clockText(ms) {
  const seconds = Math.floor(ms / 1_000)
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) =>
    String(part).padStart(2, '0'),
  )
  const hours = Math.floor(seconds / 3_600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '')
}

/** @param {number} ms */
function spanText(ms) {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 59_500
    ? `${Math.round(ms / 1_000)} s`
    : `${clockText(Math.round(ms / 1_000) * 1_000)} min`
}

/** @param {number} ms */
function estimateText(ms) {
  if (ms < 10_000) return 'a few seconds'
  if (ms < 50_000) return 'less than a minute'
  const minutes = Math.round(ms / 60_000)
  if (minutes < 100) return minutes === 1 ? 'about a minute' : `about ${minutes} minutes`
  return `about ${Math.round(ms / 3_600_000)} hours`
}

/** @param {string} id */
function element(id) {
  return document.getElementById(id)
}

/** @param {string} id */
function text(id) {
  return element(id)?.textContent ?? ''
}

/** @param {string} id @param {string} words */
function setText(id, words) {
  const found = element(id)
  if (found !== null && found.textContent !== words) found.textContent = words
}

// ---- what this page does

carryFragment()
guardForms()
offerCopy()
showLastLines()
if (body.dataset['kind'] === 'loading') followLoading()
else if (body.dataset['refresh'] !== undefined) askAgain(Number(body.dataset['refresh']))
