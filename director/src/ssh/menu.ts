// The menu for a person at a terminal who has several templates and has named none: arrows and numbers. It needs no colours,
// 20 columns, and of the terminal nothing but a way up. Pure, except for `choose`.
import type { LoginChoice } from '@berth/shared/contract'
import { plainLine } from './progress-line.ts'

export interface Screen {
  readonly columns: number
  readonly rows: number
  /** The cursor cannot be moved: lines are only added. */
  readonly isDumb: boolean
}

export interface Menu {
  readonly choices: readonly LoginChoice[]
  readonly at: number
  /** Digits that were typed, where there are more than nine choices. */
  readonly typed: string
}

export type Pressed =
  { readonly menu: Menu } | { readonly chosen: LoginChoice } | { readonly left: true }

/** With more lines than these the person loses the overview; they are scrolled. */
const mostShown = 15
/** What is around the choices. */
const frameLines = 3

const up = /^(?:\u001B[[O]A|k)/
const down = /^(?:\u001B[[O]B|j|\t)/
const leave = /^[\u0003\u0004q]/
/** Any other sequence that a key sends. */
const otherKey = /^\u001B(?:[[O][0-9;]*[A-Za-z~]?)?/

/** @param bytes may be several keys, as a terminal sends them */
export function press(menu: Menu, bytes: string): Pressed {
  let now = menu
  for (let rest = bytes; rest !== '';) {
    const key = [up, down, leave, /^\d/, /^[\r\n]/, otherKey]
      .map((pattern) => pattern.exec(rest)?.[0])
      .find((found) => found !== undefined)
    const [text = ''] = [key ?? rest[0]]
    rest = rest.slice(text.length)
    const next = pressOne(now, text)
    if (!('menu' in next)) return next
    now = next.menu
  }
  return { menu: now }
}

function pressOne(menu: Menu, key: string): Pressed {
  const { choices, at, typed } = menu
  const moveTo = (to: number): Pressed => ({ menu: { ...menu, at: to, typed: '' } })
  if (leave.test(key)) return { left: true }
  if (up.test(key)) return moveTo((at + choices.length - 1) % choices.length)
  if (down.test(key)) return moveTo((at + 1) % choices.length)
  if (/^[\r\n]$/.test(key)) {
    const chosen = choices[at]
    return chosen === undefined ? { menu } : { chosen }
  }
  if (!/^\d$/.test(key)) return { menu }
  const number = Number(typed + key)
  const found = choices[number - 1]
  if (found === undefined) return { menu: { ...menu, typed: '' } }
  // Another digit could follow.
  if (number * 10 <= choices.length)
    return { menu: { ...menu, at: number - 1, typed: typed + key } }
  return { chosen: found }
}

/** @returns lines that are no longer than the screen */
export function menuLines({ choices, at }: Menu, { columns, rows }: Screen): readonly string[] {
  const room = Math.max(1, Math.min(mostShown, rows - frameLines))
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), choices.length - room))
  const fits = (line: string): string => line.slice(0, Math.max(1, columns - 1))
  const more = choices.length > room ? `, ${from + 1} to ${from + room} of ${choices.length}` : ''
  return [
    fits(`Which workspace?${more}`),
    ...choices.slice(from, from + room).map((choice, index) => {
      const number = from + index
      return fits(`${number === at ? '>' : ' '} ${number + 1}  ${describe(choice)}`)
    }),
    fits('Arrows or number, Enter; q leaves'),
  ]
}

/** What matters most comes first: a narrow terminal cuts the rest. */
function describe({ template, title, description, phase, freeSeats }: LoginChoice): string {
  const names = title === template ? title : `${title} (${template})`
  const seats =
    freeSeats === undefined ? [] : [freeSeats === 0 ? 'full' : `${freeSeats} seats free`]
  const state = [...(phase === 'absent' ? [] : [phaseWords[phase]]), ...seats]
  const words = state.length === 0 ? names : `${names}: ${state.join(', ')}`
  return plainLine(description === '' ? words : `${words} - ${description}`)
}

const phaseWords: Readonly<Record<Exclude<LoginChoice['phase'], 'absent'>, string>> = {
  queued: 'waiting',
  pulling: 'starting',
  creating: 'starting',
  starting: 'starting',
  probing: 'starting',
  ready: 'running',
  frozen: 'paused',
  stopping: 'stopping',
  stopped: 'stopped',
  failed: 'failed',
}

/** Writes the menu in the place of the former one. */
export function draw(menu: Menu, screen: Screen, isFirst: boolean): string {
  const lines = menuLines(menu, screen)
  const body = lines.join('\r\n')
  if (screen.isDumb) return `${body}\r\n`
  const back = isFirst ? '\r\n' : `\u001B[${lines.length - 1}A\r`
  return `${back}\u001B[J${body}`
}

/**
 * @param listen has the handler called with what the person types, until the disposal
 * @returns the name of a template; `undefined`: the person leaves
 */
export async function choose(
  choices: readonly LoginChoice[],
  screen: () => Screen,
  write: (text: string) => void,
  listen: (typed: (text: string) => void) => Disposable,
  leaves: AbortSignal,
): Promise<string | undefined> {
  let menu: Menu = { choices, at: 0, typed: '' }
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  leaves.addEventListener('abort', () => resolve(undefined), { once: true })
  write(draw(menu, screen(), true))
  const listening = listen((text) => {
    const next = press(menu, text)
    if ('chosen' in next) return resolve(next.chosen.template)
    if ('left' in next) return resolve(undefined)
    if (next.menu === menu) return
    menu = next.menu
    write(draw(menu, screen(), false))
  })
  const chosen = await promise
  listening[Symbol.dispose]()
  write('\r\n')
  return chosen
}
