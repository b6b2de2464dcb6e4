// @ts-check
// In the pages of an application whose template has `banner`. What the application itself sends cannot start a workspace,
// because pages repeat requests with nobody there. When a person clicks or types in an open page, this script asks whether the
// workspace runs. If it does not, the script starts it, and a banner says so.
import { ask, follow } from './feed.js'
import { untilSettled } from './settle.js'

/** @import { Status } from './feed.js' */

/** A person who works clicks and types all the time. */
const askEveryMs = 10_000

const style = `
:host {
  all: initial;
}
[popover] {
  box-sizing: border-box;
  inset: auto 0 max(1rem, env(safe-area-inset-bottom)) 0;
  width: max-content;
  max-width: min(36rem, calc(100vw - 1.5rem));
  margin: 0 auto;
  padding: 0.75rem 1rem;
  border: 1px solid light-dark(#80959f, #5f7681);
  border-radius: 0.6rem;
  background: light-dark(#ffffff, #142027);
  box-shadow: 0 0.4rem 1.6rem rgb(0 0 0 / 30%);
  color: light-dark(#10252e, #e6eff2);
  color-scheme: light dark;
  font:
    16px/1.5 system-ui,
    'Segoe UI',
    Roboto,
    sans-serif;
}
p {
  margin: 0;
}
div {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem;
  margin-top: 0.6rem;
}
div:empty {
  display: none;
}
button,
a {
  padding: 0.35rem 0.9rem;
  border: 1px solid light-dark(#0e5a78, #86cfe9);
  border-radius: 0.4rem;
  background: none;
  color: light-dark(#0e5a78, #86cfe9);
  font: inherit;
  text-decoration: none;
  cursor: pointer;
}
:is(button, a):first-child {
  background: light-dark(#0e5a78, #86cfe9);
  color: light-dark(#ffffff, #06222e);
}
:focus-visible {
  outline: 3px solid light-dark(#d9552c, #ff9166);
  outline-offset: 2px;
}
`

/**
 * @param {{ base: string, clock: string, byClick: boolean }} options `byClick`: only a button may start the workspace
 */
export function begin({ base, clock, byClick }) {
  if (isHeardByPage()) return
  const banner = createBanner()
  let askedAt = -askEveryMs
  /** It was started here, and has not become ready yet. */
  let starting = false
  /** Since when the banner says that the workspace runs again. */
  let toldAt = Number.POSITIVE_INFINITY

  async function acted(/** @type {Event} */ event) {
    if (!event.isTrusted || starting || banner.has(event)) return
    if (performance.now() - askedAt < askEveryMs) return
    askedAt = performance.now()
    const status = await ask(base)
    if (starting || status === undefined) return
    if (status === 'signed-out') return banner.show('You are signed out.', reload('Sign in'))
    if (status.phase === 'ready') return isUsedAgain(status) ? leave() : undefined
    // A page that has lost its connection sends nothing that would wake the workspace.
    if (status.phase === 'frozen') return void (await start())
    if (byClick && rests(status)) return offer()
    await bringBack()
  }

  /** What the person does in this page reaches the workspace, so the page goes on by itself. */
  const isUsedAgain = (/** @type {Status} */ { lastUseAgoMs = Number.POSITIVE_INFINITY }) =>
    performance.now() - lastUseAgoMs > toldAt

  function leave() {
    toldAt = Number.POSITIVE_INFINITY
    banner.hide()
  }

  const offer = () =>
    banner.show('Your workspace was stopped.', {
      label: 'Start it',
      act: bringBack,
    })

  async function bringBack() {
    starting = true
    banner.show('Your workspace was stopped. It is starting again …')
    if (!(await start())) return fail()
    const unfollow = follow({
      base,
      clock,
      asksWhileHidden: true,
      heard(status) {
        if (status.phase === 'failed' || status.problem !== undefined) done(fail)
        else if (isServed(status)) done(() => settle(status))
        else if (rests(status)) done(offer)
        else if (status.position !== undefined)
          banner.show(
            `Your workspace was stopped. It starts again soon: place ${status.position} in the queue.`,
          )
      },
      signedOut: () => done(() => banner.show('You are signed out.', reload('Sign in'))),
    })
    function done(/** @type {() => void} */ next) {
      unfollow()
      starting = false
      askedAt = performance.now()
      next()
    }
  }

  /** Wakes it, too. @returns whether that was accepted */
  async function start() {
    try {
      const { ok } = await fetch(`${base}/.berth/start`, {
        method: 'POST',
        headers: { accept: 'application/json' },
        redirect: 'manual',
      })
      return ok
    } catch {
      return false
    }
  }

  function fail() {
    starting = false
    const to = encodeURIComponent(location.pathname + location.search + location.hash)
    banner.show('Your workspace was stopped, and could not be started again.', {
      label: 'Show why',
      href: `${base}/.berth/?to=${to}`,
    })
  }

  function settle(/** @type {Status} */ status) {
    const ready = () => {
      toldAt = performance.now()
      banner.show(
        'Your workspace runs again. If this page does not go on by itself, load it again: what you typed and did not save is lost then.',
        reload('Load this page again'),
        { label: 'Close', act: leave },
      )
    }
    setTimeout(ready, untilSettled(status))
  }

  const heard = (/** @type {Event} */ event) => void acted(event)
  const frameLoaded = (/** @type {Event} */ { target }) => listenIn(target)

  function listenTo(/** @type {Window} */ view) {
    for (const type of ['pointerdown', 'keydown'])
      view.addEventListener(type, heard, { capture: true, passive: true })
    view.document.addEventListener('load', frameLoaded, { capture: true })
    view.document.querySelectorAll('iframe').forEach(listenIn)
  }

  /** What a person does in a frame does not reach the page around it. */
  function listenIn(/** @type {EventTarget | null} */ frame) {
    const view = frame && 'contentWindow' in frame ? frame.contentWindow : undefined
    try {
      if (view) listenTo(/** @type {Window} */ (view))
    } catch {
      // The frame is of another site.
    }
  }

  listenTo(window)
}

/** Whether this is a frame of a page of this address. That page listens to what is done here. */
function isHeardByPage() {
  try {
    return parent !== window && parent.document !== null
  } catch {
    return false
  }
}

const rests = (/** @type {Status} */ { phase }) => phase === 'absent' || phase === 'stopped'
const isServed = (/** @type {Status} */ { phase }) => phase === 'ready' || phase === 'frozen'

const reload = (/** @type {string} */ label) => ({ label, act: () => location.reload() })

/**
 * A part of the page that neither its styles nor its policy for contents touch.
 * @typedef {{ label: string, act: () => void } | { label: string, href: string }} Button
 */
function createBanner() {
  const host = document.createElement('berth-banner')
  const root = host.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(style)
  root.adoptedStyleSheets = [sheet]
  const box = document.createElement('section')
  box.popover = 'manual'
  box.setAttribute('aria-label', 'Your workspace')
  const words = document.createElement('p')
  words.setAttribute('role', 'status')
  const buttons = document.createElement('div')
  box.append(words, buttons)
  root.append(box)

  function buttonOf(/** @type {Button} */ button) {
    if ('href' in button) {
      const link = document.createElement('a')
      link.href = button.href
      link.textContent = button.label
      return link
    }
    const element = document.createElement('button')
    element.type = 'button'
    element.textContent = button.label
    element.addEventListener('click', button.act)
    return element
  }

  return {
    has: (/** @type {Event} */ event) => event.target === host,
    hide: () => host.remove(),
    show(/** @type {string} */ text, /** @type {Button[]} */ ...offered) {
      // The application may have replaced what its page has.
      if (!host.isConnected) document.documentElement.append(host)
      if (!box.matches(':popover-open')) box.showPopover()
      if (words.textContent === text) return
      words.textContent = text
      buttons.replaceChildren(...offered.map(buttonOf))
    },
  }
}
