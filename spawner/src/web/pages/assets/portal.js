// @ts-check
// The script of the portal: keeps the cards up to date, carries out the buttons without a reload, and follows a log. The
// pages work without it.

import { leftText } from './durations.js'

/** @typedef {{ id: string, version: string, html: string, title: string, label: string }} Card */

/** What the server's clock is ahead of this one. */
let aheadMs = Date.parse(document.body.dataset['now'] ?? '') - Date.now() || 0

// ---- the stream

/**
 * Keeps a stream of events open. The browser reconnects by itself, except after an answer that is no stream.
 * @param {string} path
 * @param {Record<string, (data: any) => void>} handlers by event
 * @param {(isLive: boolean) => void} told whether the stream is open
 */
function follow(path, handlers, told) {
  let failures = 0
  /** @type {EventSource | undefined} */
  let source

  function open() {
    source = new EventSource(path)
    source.addEventListener('open', () => {
      failures = 0
      told(true)
    })
    for (const [name, handle] of Object.entries(handlers))
      source.addEventListener(name, ({ data }) => handle(JSON.parse(data)))
    source.addEventListener('error', () => {
      told(false)
      if (source?.readyState === EventSource.CLOSED) later()
    })
  }

  function later() {
    const waitMs = Math.min(1_000 * 2 ** failures, 15_000) * (0.75 + Math.random() / 2)
    failures += 1
    setTimeout(async () => {
      const answer = await call('/api/v1/me').catch(() => undefined)
      if (answer !== undefined && isSignedOut(answer)) location.reload()
      else if (answer?.ok) open()
      else later()
    }, waitMs)
  }

  open()
  addEventListener('pagehide', () => source?.close())
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload()
  })
}

/** @param {string} path @param {RequestInit} [init] */
function call(path, init = {}) {
  return fetch(path, {
    ...init,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    cache: 'no-store',
    // A gateway may redirect a person who is signed out.
    redirect: 'manual',
    signal: AbortSignal.timeout(15_000),
  })
}

/** @param {Response} answer */
function isSignedOut({ status, type }) {
  return status === 401 || type === 'opaqueredirect'
}

// ---- cards

const cards = document.getElementById('cards')

/** @param {string} id @returns {HTMLElement | undefined} */
function cardOf(id) {
  for (const card of cards?.children ?? [])
    if (card instanceof HTMLElement && card.dataset['card'] === id) return card
  return undefined
}

/** @param {Card} card */
function show({ id, version, html, title, label }) {
  const old = cardOf(id)
  if (cards === null || old?.dataset['version'] === version) return
  const template = document.createElement('template')
  template.innerHTML = html
  const fresh = template.content.firstElementChild
  if (!(fresh instanceof HTMLElement)) return
  const before = old?.querySelector('.badge')?.textContent
  if (old === undefined) {
    cards.append(fresh)
    arrange()
  } else replace(old, fresh)
  // Screen readers read this out: each new state once.
  if (before !== undefined && before !== label)
    setText(document.getElementById('announcement'), `${title}: ${label}`)
  tick()
}

/** The keyboard stays where it was: on the same button, or at the head of the card if the button has gone. */
function replace(/** @type {HTMLElement} */ old, /** @type {HTMLElement} */ fresh) {
  const focused = document.activeElement
  const key =
    focused instanceof HTMLElement && old.contains(focused)
      ? (focused.dataset['key'] ?? 'head')
      : undefined
  const isOpen = old.querySelector('details')?.open ?? false
  const details = fresh.querySelector('details')
  if (details !== null) details.open = isOpen
  old.replaceWith(fresh)
  if (key === undefined) return
  const same = fresh.querySelector(`[data-key="${key}"]`) ?? fresh.querySelector('h2')
  if (same instanceof HTMLElement) same.focus({ preventScroll: true })
}

/** @type {string[]} */
let order = []

function arrange() {
  if (cards === null) return
  for (const card of [...cards.children])
    if (card instanceof HTMLElement && !order.includes(card.dataset['card'] ?? '')) card.remove()
  order.forEach((id, index) => {
    const card = cardOf(id)
    const there = cards.children[index]
    if (card !== undefined && there !== undefined && card !== there) there.before(card)
  })
  document.getElementById('nothing')?.toggleAttribute('hidden', order.length > 0)
}

const staleText = 'The server does not answer. What you see may be out of date.'
/** @type {ReturnType<typeof setTimeout> | undefined} */
let stale

/** A stream that breaks is usually there again at once: only after a while the person is told. */
function live(/** @type {boolean} */ isLive) {
  document.body.toggleAttribute('data-live', isLive)
  if (!isLive) {
    stale ??= setTimeout(() => complain(staleText), 4_000)
    return
  }
  clearTimeout(stale)
  stale = undefined
  if (document.getElementById('trouble')?.textContent === staleText) complain('')
}

// ---- buttons

/** @param {SubmitEvent} event */
async function submitted(event) {
  const form = event.target
  if (!(form instanceof HTMLFormElement) || form.dataset['api'] === undefined) return
  event.preventDefault()
  if (form.getAttribute('aria-busy') === 'true') return
  form.setAttribute('aria-busy', 'true')
  const template = new FormData(form).get('template')
  const body = template === null ? {} : { body: JSON.stringify({ template }) }
  try {
    const answer = await call(form.dataset['api'], { method: 'POST', ...body })
    if (isSignedOut(answer)) return location.reload()
    complain(answer.ok ? '' : ((await answer.json()).detail ?? 'That was not possible.'))
  } catch {
    complain('The server did not answer. Please try again.')
  } finally {
    form.removeAttribute('aria-busy')
  }
}

/** @param {string} text empty: nothing is wrong */
function complain(text) {
  const trouble = document.getElementById('trouble')
  setText(trouble, text)
  trouble?.toggleAttribute('hidden', text === '')
}

// ---- times

function tick() {
  const now = Date.now() + aheadMs
  for (const time of document.querySelectorAll('time[data-left]'))
    if (time instanceof HTMLTimeElement) setText(time, leftText(Date.parse(time.dateTime) - now))
  for (const time of document.querySelectorAll('time[data-at]'))
    if (time instanceof HTMLTimeElement) setText(time, localText(new Date(time.dateTime), now))
}

/** @param {Date} at @param {number} now */
function localText(at, now) {
  const isToday = at.toDateString() === new Date(now).toDateString()
  return isToday
    ? at.toLocaleTimeString(undefined, { timeStyle: 'short' })
    : at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
}

/** @param {Element | null} element @param {string} text */
function setText(element, text) {
  if (element !== null && element.textContent !== text) element.textContent = text
}

// ---- a log

const mostLines = 1_000

/** @param {HTMLElement} log @param {string} path */
function followLog(log, path) {
  const says = document.getElementById('following')
  /** @type {string[]} */
  let lines = []
  log.scrollTop = log.scrollHeight
  follow(
    path,
    {
      lines({ lines: further, begins }) {
        const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40
        lines = [...(begins ? [] : lines), ...further].slice(-mostLines)
        log.textContent = lines.join('\n')
        if (isAtEnd || begins) log.scrollTop = log.scrollHeight
      },
    },
    (isLive) =>
      setText(
        says,
        isLive
          ? 'New lines appear here as they are logged.'
          : 'It has stopped, or cannot be reached.',
      ),
  )
}

// ---- what this page does

tick()
setInterval(tick, 5_000)
if (cards !== null) {
  document.addEventListener('submit', submitted)
  follow(
    '/events',
    {
      order(ids) {
        order = ids
        arrange()
      },
      card: show,
    },
    live,
  )
}
const log = document.getElementById('log')
const path = log?.dataset['follow']
if (log !== null && path !== undefined) followLog(log, path)
