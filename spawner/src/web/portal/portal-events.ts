// The cards of a person as a stream of events: each card that has changed, as HTML. An open stream counts as presence
// in the queue, and it starts nothing.
import type { Response } from 'express'
import type { Person } from '@berth/shared/contract'
import type { Impersonations } from '../../impersonations.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import { openEventStream } from '../http/event-stream.ts'
import { closeTabs, createStreamLimit } from '../http/stream-limit.ts'
import type { CardsOf } from './cards.ts'
import type { PortalPages } from './portal-pages.ts'

export interface PortalEvents {
  open(response: Response, person: Person): void
}

/** Several changes of one decision are sent together. */
const gatherMs = 50
/** How often the idle times are sent again, and the person counts as present. */
const everyMs = 10_000
const maxPendingBytes = 512 * 1024
const maxStreams = 20

export function createPortalEvents(deps: {
  workspaces: Workspaces
  cardsOf: CardsOf
  pages: PortalPages
  impersonations?: Pick<Impersonations, 'follow'> | undefined
}): PortalEvents {
  const { workspaces, cardsOf, pages, impersonations } = deps
  const streams = createStreamLimit(maxStreams, 'pages of the portal', closeTabs)

  function open(response: Response, person: Person): void {
    const taken = streams.take(person.name)
    const told = new Map<string, string>()
    const followings = new Map<string, Disposable>()
    let later: NodeJS.Timeout | undefined
    const stream = openEventStream(response, maxPendingBytes, {
      onDrain: () => tell(),
      onClose() {
        clearInterval(regular)
        clearTimeout(later)
        sizes[Symbol.dispose]()
        opened?.[Symbol.dispose]()
        for (const following of followings.values()) following[Symbol.dispose]()
        followings.clear()
        taken[Symbol.dispose]()
      },
    })

    function tell(): void {
      clearTimeout(later)
      later = undefined
      if (stream.closed || !stream.flowing) return
      const cards = cardsOf(person).map((card) => pages.card(person, card))
      // A card that came or went changes the order, so the page learns which cards there are.
      const ids = cards.map(({ id }) => id)
      if (told.size !== ids.length || ids.some((id) => !told.has(id))) {
        for (const id of told.keys()) if (!ids.includes(id)) told.delete(id)
        stream.send('order', ids)
      }
      for (const card of cards) {
        if (told.get(card.id) === card.version) continue
        told.set(card.id, card.version)
        stream.send('card', card)
      }
      follow()
    }

    /** What is offered may change, so the list of what is followed does too. */
    function follow(): void {
      const wanted = new Set(['', ...workspaces.state().config.templates.keys()])
      for (const [template, following] of followings)
        if (!wanted.has(template)) {
          following[Symbol.dispose]()
          followings.delete(template)
        }
      for (const template of wanted)
        if (!followings.has(template) && !stream.closed)
          followings.set(template, workspaces.follow(person, template, changed))
    }

    function changed(): void {
      later ??= setTimeout(tell, gatherMs)
    }

    const sizes = workspaces.followHomeSizes(changed)
    const opened = impersonations?.follow(changed)
    const regular = setInterval(() => {
      reportPresence(workspaces, person)
      tell()
    }, everyMs)
    tell()
    reportPresence(workspaces, person)
  }

  return { open }
}

/** A person who looks at the portal keeps their places in the queue. */
export function reportPresence(workspaces: Workspaces, person: Person): void {
  const { tally, workspaces: all } = workspaces.state()
  for (const name of tally.byPerson.get(person.name) ?? []) {
    const workspace = all.get(name)
    if (workspace?.phase === 'queued')
      workspaces.reportPresence(person, workspace.template, workspace.name)
  }
}
