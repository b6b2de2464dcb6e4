// The cards of a person: each template that they may use, and each workspace of theirs whose template is not offered.
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { Impersonations } from '../../impersonations.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import { isAllowed } from '../../policy/asked/access.ts'
import { isTheirs } from '../../policy/asked/theirs.ts'
import type { SshAddress } from '../../ssh/ssh-address.ts'
import type { Template } from '../../templates/template.ts'
import { momentOf } from '../api/handlers.ts'
import { presentWorkspace } from '../api/shown.ts'
import { cardOf, formerCardOf, type Card } from './card.ts'

export type CardsOf = (person: Person) => readonly Card[]

/** @param impersonations absent: there are none */
export function createCardsOf(
  workspaces: Workspaces,
  clock: Clock,
  impersonations?: Pick<Impersonations, 'told'>,
  sshAddress?: SshAddress,
): CardsOf {
  return (person) => {
    const state = workspaces.state()
    const homeSize = (of: Person, template: Template) => workspaces.homeSize(of, template)
    const opened = (workspace: string) => impersonations?.told(workspace, person.name)
    const around = { state, person, moment: momentOf(clock), homeSize, opened, sshAddress }
    const offered = [...state.config.templates.values()].filter((one) => isAllowed(one, person))
    const cards = offered.map((template) =>
      cardOf(template, workspaces.view(person, template.name), around),
    )
    const shown = new Set(cards.map(({ workspace }) => workspace))
    const further = (state.tally.byPerson.get(person.name) ?? []).flatMap((name) => {
      const workspace = shown.has(name) ? undefined : presentWorkspace(state, name)
      return workspace !== undefined && isTheirs(state, workspace, person) ? [workspace] : []
    })
    return [...cards, ...further.map((workspace) => formerCardOf(workspace, around))]
  }
}
