// @ts-check
// What the pages of the portal share: an open stream of events, requests, and times that go on.

import { ageText, leftText } from './durations.js'

/** What the server's clock is ahead of this one. */
const aheadMs = Date.parse(document.body.dataset['now'] ?? '') - Date.now() || 0

/**
 * Keeps a stream of events open. The browser reconnects by itself, except after an answer that is no stream.
 * @param {string} path
 * @param {Record<string, (data: any) => void>} handlers by event
 * @param {(isLive: boolean) => void} told whether the stream is open
 */
export function follow(path, handlers, told) {
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
export function call(path, init = {}) {
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
export function isSignedOut({ status, type }) {
  return status === 401 || type === 'opaqueredirect'
}

// ---- what is wrong

const staleText = 'The server does not answer. What you see may be out of date.'
/** @type {ReturnType<typeof setTimeout> | undefined} */
let stale

/** A stream that breaks is usually there again at once: only after a while the person is told. */
export function showLive(/** @type {boolean} */ isLive) {
  document.body.toggleAttribute('data-live', isLive)
  if (!isLive) {
    stale ??= setTimeout(() => complain(staleText), 4_000)
    return
  }
  clearTimeout(stale)
  stale = undefined
  if (document.getElementById('trouble')?.textContent === staleText) complain('')
}

/** @param {string} text empty: nothing is wrong */
export function complain(text) {
  const trouble = document.getElementById('trouble')
  setText(trouble, text)
  trouble?.toggleAttribute('hidden', text === '')
}

// ---- times

export function tick() {
  const now = Date.now() + aheadMs
  for (const time of document.querySelectorAll('time[data-left]'))
    if (time instanceof HTMLTimeElement) setText(time, leftText(Date.parse(time.dateTime) - now))
  for (const time of document.querySelectorAll('time[data-since]'))
    if (time instanceof HTMLTimeElement) setText(time, ageText(now - Date.parse(time.dateTime)))
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
export function setText(element, text) {
  if (element !== null && element.textContent !== text) element.textContent = text
}

tick()
setInterval(tick, 5_000)
