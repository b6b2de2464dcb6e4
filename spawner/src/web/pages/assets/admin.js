// @ts-check
// The script of the administrator's page: keeps rows and overview up to date, and filters while a person types. The page
// works without it.

import { follow, setText, showLive, tick } from './live.js'

const rows = /** @type {HTMLElement} */ (document.getElementById('rows'))
const overview = /** @type {HTMLElement} */ (document.getElementById('overview'))
const filter = /** @type {HTMLFormElement} */ (document.getElementById('filter'))
const mark = rows.closest('table')?.dataset['mark'] ?? ''

// ---- the filter

function wanted() {
  const fields = new FormData(filter)
  const textOf = (/** @type {string} */ name) => String(fields.get(name) ?? '')
  return {
    person: textOf('person').trim().toLowerCase(),
    template: textOf('template'),
    state: textOf('state'),
  }
}

function applyFilter() {
  const { person, template, state } = wanted()
  let shown = 0
  for (const row of rows.children) {
    if (!(row instanceof HTMLElement)) continue
    const { text = '', template: its = '', state: phase = '' } = row.dataset
    const isShown =
      text.includes(person) &&
      (template === '' || template === its) &&
      (state === '' || state === phase)
    row.hidden = !isShown
    if (isShown) shown += 1
  }
  setText(document.getElementById('count'), `${shown} of ${rows.children.length}`)
  document.getElementById('nothing')?.toggleAttribute('hidden', shown > 0)
}

/** The address keeps the filter, so that a reload shows the same. */
function remember() {
  const query = new URLSearchParams(Object.entries(wanted()).filter(([, value]) => value !== ''))
  history.replaceState(null, '', query.size === 0 ? '/admin' : `/admin?${query}`)
}

filter.addEventListener('submit', (event) => {
  event.preventDefault()
  applyFilter()
  remember()
})
filter.addEventListener('input', () => {
  applyFilter()
  remember()
})

// ---- rows

/** @param {string} html @param {string} within the element that may contain it */
function parse(html, within = 'div') {
  const template = document.createElement('template')
  template.innerHTML = within === 'tbody' ? `<table><tbody>${html}</tbody></table>` : html
  return within === 'tbody' ? template.content.querySelector('tr') : template.content
}

/** @param {string} id @returns {HTMLElement | null} */
const rowOf = (id) => document.getElementById(`row-${id}`)

/** The keyboard stays where it was: on the same link, or at the head of the row if the link has gone. */
function keepFocus(/** @type {HTMLElement} */ old, /** @type {() => HTMLElement} */ replace) {
  const focused = document.activeElement
  const key =
    focused instanceof HTMLElement && old.contains(focused)
      ? (focused.dataset['key'] ?? 'head')
      : undefined
  const fresh = replace()
  if (key === undefined) return
  const same = fresh.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? fresh.querySelector('th')
  if (same instanceof HTMLElement) same.focus({ preventScroll: true })
}

/** @param {{ ids?: string[], rows: { id: string, html: string }[] }} told */
function showRows({ ids, rows: changed }) {
  for (const { id, html } of changed) {
    const fresh = parse(html, 'tbody')
    if (!(fresh instanceof HTMLElement)) continue
    const old = rowOf(id)
    if (old === null) rows.append(fresh)
    else
      keepFocus(old, () => {
        old.replaceWith(fresh)
        return fresh
      })
  }
  if (ids !== undefined) arrange(ids)
  applyFilter()
  tick()
}

/** @param {string[]} ids */
function arrange(ids) {
  const known = new Set(ids)
  for (const row of [...rows.children])
    if (row instanceof HTMLElement && !known.has(row.dataset['row'] ?? '')) row.remove()
  // The page shows only what its filter let through, so the others come with the stream: until then there is a gap.
  let place = rows.firstElementChild
  for (const id of ids) {
    const row = rowOf(id)
    if (row === null) continue
    if (row === place) place = place.nextElementSibling
    else rows.insertBefore(row, place)
  }
}

// ---- what this page does

applyFilter()
follow(
  `/admin/events?after=${encodeURIComponent(mark)}`,
  {
    rows: showRows,
    usage({ total, cells }) {
      document
        .getElementById('usage')
        ?.replaceChildren(/** @type {DocumentFragment} */ (parse(total)))
      for (const { id, html } of cells) {
        const template = document.createElement('template')
        template.innerHTML = `<table><tbody><tr>${html}</tr></tbody></table>`
        const fresh = template.content.querySelector('td')
        if (fresh !== null) rowOf(id)?.querySelector('[data-usage]')?.replaceWith(fresh)
      }
    },
    overview({ html }) {
      keepFocus(overview, () => {
        overview.replaceChildren(/** @type {DocumentFragment} */ (parse(html)))
        return overview
      })
      tick()
    },
  },
  showLive,
)
