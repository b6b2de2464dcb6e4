// @ts-check
// The script of the portal: keeps the cards up to date, carries out the buttons without a reload, and follows a log. The
// pages work without it.

import { call, complain, follow, isSignedOut, setText, showLive, tick } from './live.js'

/** @typedef {{ id: string, version: string, html: string, title: string, label: string }} Card */

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

// ---- commands

/** @param {MouseEvent} event */
async function clicked({ target }) {
  if (!(target instanceof HTMLElement) || target.dataset['copy'] === undefined) return
  await navigator.clipboard.writeText(target.dataset['copy'])
  target.textContent = 'Copied'
  setText(document.getElementById('announcement'), 'Copied')
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

if (cards !== null) {
  document.addEventListener('submit', submitted)
  if (navigator.clipboard !== undefined) {
    cards.classList.add('copies')
    document.addEventListener('click', clicked)
  }
  follow(
    '/events',
    {
      order(ids) {
        order = ids
        arrange()
      },
      card: show,
    },
    showLive,
  )
}
const log = document.getElementById('log')
const path = log?.dataset['follow']
if (log !== null && path !== undefined) followLog(log, path)
