// A person who proved their name by a key, without the gateway: who they are (as the gateway told it last), and which
// template they reach. Whether they may use it is asked at each login.
import type {
  LoginAnswer,
  LoginChoice,
  LoginRequest,
  Person,
  ShownPhase,
} from '@berth/shared/contract'
import { formatDuration } from '@berth/shared/duration'
import { BerthError } from '@berth/shared/problems'
import type { SignIn } from '../../loop/sign-ins.ts'
import { accessOf, type Access } from '../../policy/asked/access.ts'
import type { State } from '../../policy/domain.ts'
import { freeSeats } from '../../policy/asked/free-seats.ts'
import { plainText } from '../http/plain-text.ts'

/**
 * @param now in milliseconds since 1970
 * @throws BerthError
 */
export function answerLogin(
  asked: LoginRequest,
  known: {
    readonly state: State
    readonly signIn: SignIn | undefined
    readonly now: number
    readonly publicUrl: string | undefined
    readonly phaseOf: (person: Person, template: string) => ShownPhase
  },
): LoginAnswer {
  const { state, signIn, now, publicUrl, phaseOf } = known
  const { maxAgeMs, template, protocol = 'ssh', offersChoice = false } = asked
  const where = publicUrl === undefined ? 'in a browser' : `at ${publicUrl}`
  if (signIn === undefined)
    throw new BerthError('sign_in_needed', `Sign in ${where} once, and then try again.`)
  if (now - signIn.at > maxAgeMs)
    throw new BerthError(
      'sign_in_needed',
      `Your last sign-in on the web is more than ${formatDuration(maxAgeMs)} ago. Sign in ${where}, and then try again.`,
    )
  const { person } = signIn
  if (template !== undefined) return { person, template: named(state, person, template, protocol) }
  const [first = '', ...others] = allowed(state, person)
  if (others.length === 0) return { person, template: first }
  if (offersChoice)
    return {
      person,
      choices: [first, ...others].map((name) => choiceOf(state, name, phaseOf(person, name))),
    }
  const names = [first, ...others].map((name) => `${person.name}+${name}`).join(', ')
  throw new BerthError('template_unknown', `Say which workspace you mean: sign in as ${names}.`)
}

function choiceOf(state: State, name: string, phase: ShownPhase): LoginChoice {
  const template = state.config.templates.get(name)
  const free = template && freeSeats(state, template)
  return {
    template: name,
    title: plainText(template?.title ?? name, 100),
    description: plainText(template?.description ?? '', 200),
    phase,
    ...(free === undefined ? {} : { freeSeats: free }),
  }
}

const reachable = (state: State): readonly string[] =>
  [...state.config.templates.values()]
    .filter(({ ssh }) => ssh !== undefined)
    .map(({ name }) => name)

function named(
  state: State,
  person: Person,
  template: string,
  protocol: NonNullable<LoginRequest['protocol']>,
): string {
  const known = state.config.templates.get(template)
  if (known === undefined)
    throw new BerthError('template_unknown', `There is no template ${template}.`)
  if (known[protocol] === undefined)
    throw new BerthError('template_unknown', `${template} is reached in a browser only.`)
  const access = accessOf(state, person, template)
  if (!access.ok) throw refusalOf(access)
  return template
}

/** @returns at least one template @throws BerthError where there is none */
function allowed(state: State, person: Person): readonly string[] {
  const templates = reachable(state)
  const found = templates.filter((template) => accessOf(state, person, template).ok)
  if (found.length > 0) return found
  const [refused] = templates
  if (refused === undefined)
    throw new BerthError('template_unknown', 'No workspace is reached in this way.')
  throw refusalOf(accessOf(state, person, refused))
}

function refusalOf(access: Access): BerthError {
  if (access.ok) throw new TypeError('the access is not refused')
  const { code, detail } = access.refusal.failure
  return new BerthError(code, detail)
}
