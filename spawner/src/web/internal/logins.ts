// A person who proved their name by a key, without the gateway: who they are (as the gateway told it last), and which
// template they reach. Whether they may use it is asked at each login.
import type { LoginAnswer, LoginRequest, Person } from '@berth/shared/contract'
import { formatDuration } from '@berth/shared/duration'
import { BerthError } from '@berth/shared/problems'
import type { SignIn } from '../../loop/sign-ins.ts'
import { accessOf, type Access } from '../../policy/asked/access.ts'
import type { State } from '../../policy/domain.ts'

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
  },
): LoginAnswer {
  const { state, signIn, now, publicUrl } = known
  const { maxAgeMs, template, protocol = 'ssh' } = asked
  const where = publicUrl === undefined ? 'in a browser' : `at ${publicUrl}`
  if (signIn === undefined)
    throw new BerthError('sign_in_needed', `Sign in ${where} once, and then try again.`)
  if (now - signIn.at > maxAgeMs)
    throw new BerthError(
      'sign_in_needed',
      `Your last sign-in on the web is more than ${formatDuration(maxAgeMs)} ago. Sign in ${where}, and then try again.`,
    )
  const { person } = signIn
  return {
    person,
    template:
      template === undefined ? only(state, person) : named(state, person, template, protocol),
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

function only(state: State, person: Person): string {
  const templates = reachable(state)
  const allowed = templates.filter((template) => accessOf(state, person, template).ok)
  const [first, second] = allowed
  if (first === undefined) {
    const [refused] = templates
    if (refused === undefined)
      throw new BerthError('template_unknown', 'No workspace is reached in this way.')
    throw refusalOf(accessOf(state, person, refused))
  }
  if (second === undefined) return first
  const choices = allowed.map((template) => `${person.name}+${template}`).join(', ')
  throw new BerthError('template_unknown', `Say which workspace you mean: sign in as ${choices}.`)
}

function refusalOf(access: Access): BerthError {
  if (access.ok) throw new TypeError('the access is not refused')
  const { code, detail } = access.refusal.failure
  return new BerthError(code, detail)
}
