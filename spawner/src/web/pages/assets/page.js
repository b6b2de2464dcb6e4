// @ts-check
// The script of all pages: shows the progress of a start, opens the workspace when it is ready, and keeps what a page shows
// up to date. The pages work without it, only more slowly.
import { clockText, estimateText, spanText } from './durations.js'
import { ask, follow } from './feed.js'
import { untilSettled } from './settle.js'

/**
 * @import { Status, Step } from './feed.js'
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

// ---- leaving

/**
 * Opens the address that the person wants. A reload keeps path, query and fragment (`location.replace` to the same
 * address with a fragment would not load anything).
 */
const leave = (/** @type {Status} */ status) =>
  goOn(
    () => (target === undefined ? location.reload() : location.replace(target)),
    untilSettled(status),
  )

/** Loads this page again. */
const reloadPage = () => goOn(() => location.reload())

/** For a person who waits: a page that only loads itself again may start nothing. */
async function startAgain() {
  try {
    await fetch(`${base}/.berth/start`, { method: 'POST', redirect: 'manual' })
  } catch {
    // The page that is loaded has a button for it.
  }
  reloadPage()
}

async function goOn(/** @type {() => void} */ load, atLeastMs = 0) {
  unfollow?.()
  unfollow = undefined
  await pause(Math.max(atLeastMs, await leavingDelay()))
  // A page that cannot be loaded would be replaced by one of the browser, without this script. Browsers abort what they
  // load when the machine gets another network interface, which happens when a container is made on it.
  for (let round = 0; round < 10 && (await ask(base)) === undefined; round += 1) await pause(500)
  while (performance.now() - leftAt < leavesWithinMs) await pause(500)
  load()
}

/** When the person last began to leave this page, by a link or a button. Browsers drop that when the page loads something
 * else meanwhile. */
let leftAt = -Infinity
addEventListener('beforeunload', () => (leftAt = performance.now()))
/** The answer may take a while, and may be one that leaves this page where it is, such as a download. */
const leavesWithinMs = 30_000

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** If leaving leads back here again and again, each round waits longer. */
async function leavingDelay() {
  const key = 'berth-leaving'
  const now = Date.now()
  try {
    const [count = 0, at = 0] = JSON.parse(sessionStorage.getItem(key) ?? '[]')
    const round = now - at < 60_000 ? count + 1 : 0
    sessionStorage.setItem(key, JSON.stringify([round, now]))
    if (round > 0) await passServiceWorkers()
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

/** A service worker of the application may have kept this page instead of the application's, and serve it for ever. */
async function passServiceWorkers() {
  if (!navigator.serviceWorker?.controller) return
  for (const registration of await navigator.serviceWorker.getRegistrations())
    if (location.href.startsWith(registration.scope)) await registration.unregister()
  for (const name of await caches.keys()) await (await caches.open(name)).delete(location.href)
}

// ---- following

function followLoading() {
  const ticking = setInterval(tick, 1_000)
  const end = follow({
    base,
    clock: body.dataset['clock'] ?? '',
    asksWhileHidden: true,
    heard,
    signedOut: reloadPage,
  })
  unfollow = () => {
    end()
    clearInterval(ticking)
  }
}

/** Loads the page again when it would show something else. */
function followStatus(/** @type {Status} */ rendered) {
  unfollow = follow({
    base,
    clock: body.dataset['clock'] ?? '',
    asksWhileHidden: false,
    heard(status) {
      if (gistOf(status) === gistOf(rendered)) return
      if (target !== undefined) return reloadPage()
      if (isServed(status)) return leave(status)
      // No person has asked for a start here, so the reload must not bring one about.
      const rests = status.phase === 'absent' || status.phase === 'stopped'
      if (!rests || status.problem !== undefined) reloadPage()
      else if (rendered.phase === 'stopping' || isServed(rendered)) standStill()
    },
    signedOut: reloadPage,
  })
}

const gistOf = (/** @type {Status} */ status) => {
  const { workspace, phase, problem, endsAt, extensionMs, outdated } = status
  return JSON.stringify([workspace, phase, problem?.code, endsAt, extensionMs, outdated])
}

/** Only a request to the workspace itself wakes a frozen one. */
const isServed = (/** @type {Status} */ { phase }) => phase === 'ready' || phase === 'frozen'

/** @param {Status} status @param {boolean} sure */
function heard(status, sure) {
  if (isServed(status)) {
    show(status)
    return leave(status)
  }
  if (status.phase === 'failed' || status.problem !== undefined) return reloadPage()
  if (status.phase !== 'absent' && status.phase !== 'stopped') return show(status)
  // The workspace is not starting. If this page could not be seen waiting for a while, the person has lost the place in
  // the queue, and gets another. Otherwise the workspace was stopped, perhaps by the person in another tab.
  if (target !== undefined) return reloadPage()
  if (!sure && status.cancelled !== true) return startAgain()
  standStill()
}

/** Leads to the page that starts nothing. */
const standStill = () =>
  goOn(() => location.replace(`${base}/.berth/?to=${encodeURIComponent(here())}`))

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

/** Reloads a page that tries again by itself, as soon as the server answers. */
function askAgain(/** @type {number} */ seconds) {
  setTimeout(async () => {
    if ((await ask(base)) === undefined) askAgain(Math.min(seconds * 2, 60))
    else reloadPage()
  }, seconds * 1_000)
}

/** The server knows neither the time zone nor the language of the person. */
function showLocalTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
  for (const time of document.querySelectorAll('time'))
    time.textContent = format.format(new Date(time.dateTime))
}

/** Browsers do not send the fragment of an address, so the forms take it along from here. */
function carryFragment() {
  for (const field of document.querySelectorAll('input[name="to"]')) {
    if (!(field instanceof HTMLInputElement) || location.hash === '' || target !== undefined)
      continue
    const cancels = field.form?.getAttribute('action') === `${base}/.berth/cancel`
    field.value = cancels ? `${base}/.berth/?to=${encodeURIComponent(here())}` : here()
    const button = field.form?.querySelector('button')
    if (!(button instanceof HTMLButtonElement)) continue
    const action = new URL(button.formAction)
    action.searchParams.set('to', field.value)
    button.formAction = action.href
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
showLocalTimes()
const { kind, refresh, status } = body.dataset
if (kind === 'loading') followLoading()
else if (refresh !== undefined) askAgain(Number(refresh))
else if (status !== undefined) followStatus(JSON.parse(status))
addEventListener('pagehide', () => unfollow?.())
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
