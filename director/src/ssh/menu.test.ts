import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LoginChoice } from '@berth/shared/contract'
import { choose, draw, menuLines, press, type Menu } from './menu.ts'

const choice = (template: string, more: Partial<LoginChoice> = {}): LoginChoice => ({
  template,
  title: template,
  description: '',
  phase: 'absent',
  ...more,
})
const menuOf = (count: number): Menu => ({
  choices: Array.from({ length: count }, (_, n) => choice(`t${n + 1}`)),
  at: 0,
  typed: '',
})
const screen = { columns: 80, rows: 24, isDumb: false }
/** The name of what was chosen, the place of the mark, or `left`. */
function after(menu: Menu, keys: string): string | number {
  const pressed = press(menu, keys)
  if ('chosen' in pressed) return pressed.chosen.template
  return 'left' in pressed ? 'left' : pressed.menu.at
}

describe('the menu of workspaces', () => {
  it('is moved in by arrows of both kinds, and round its ends', () => {
    const menu = menuOf(3)
    assert.equal(after(menu, '\u001B[B'), 1)
    assert.equal(after(menu, '\u001BOB\u001B[B'), 2)
    assert.equal(after(menu, '\u001B[B\u001B[B\u001B[B'), 0)
    assert.equal(after(menu, '\u001B[A'), 2)
    assert.equal(after(menu, 'jjk'), 1)
    assert.equal(after(menu, '\u001B[B\r'), 't2')
    assert.equal(after(menu, '\u001B[Bj\n'), 't3')
  })

  it('is chosen from by a number, and of more than nine by two digits', () => {
    assert.equal(after(menuOf(3), '2'), 't2')
    assert.equal(after(menuOf(3), '4'), 0)
    const many = menuOf(12)
    assert.equal(after(many, '2'), 't2')
    assert.equal(after(many, '1'), 0)
    assert.equal(after(many, '1\r'), 't1')
    assert.equal(after(many, '12'), 't12')
    assert.equal(after(many, '1\u001B[B2'), 't2')
  })

  it('is left by q, Ctrl-C and Ctrl-D, and does nothing for other keys', () => {
    for (const key of ['q', '\u0003', '\u0004']) assert.equal(after(menuOf(3), key), 'left')
    assert.equal(after(menuOf(3), '\u001B[15~x\u001B[1;5C\u001BOPé '), 0)
  })

  it('says title, name, state, free seats and description, and fits into 40 columns', () => {
    const menu: Menu = {
      choices: [
        choice('lab', { title: 'JupyterLab', description: 'Notebooks', phase: 'frozen' }),
        choice('room', { freeSeats: 3, phase: 'ready' }),
        choice('full', { freeSeats: 0, title: 'Full\u001B[31m' }),
      ],
      at: 1,
      typed: '',
    }
    assert.deepEqual(menuLines(menu, screen), [
      'Which workspace?',
      '  1  JupyterLab (lab): paused - Notebooks',
      '> 2  room: running, 3 seats free',
      '  3  Full [31m (full): full',
      'Arrows or number, Enter; q leaves',
    ])
    for (const columns of [40, 20, 1])
      for (const line of menuLines(menu, { ...screen, columns }))
        assert.ok(line.length <= Math.max(1, columns - 1), line)
  })

  it('scrolls where it has more lines than the terminal', () => {
    const menu = { ...menuOf(30), at: 20 }
    const lines = menuLines(menu, { ...screen, rows: 10 })
    assert.equal(lines.length, 9)
    assert.equal(lines[0], 'Which workspace?, 18 to 24 of 30')
    assert.ok(lines.includes('> 21  t21'))
    assert.equal(menuLines(menuOf(30), { ...screen, rows: 1 }).length, 3)
  })

  it('is drawn in the place of the former one, except on a terminal that cannot', () => {
    assert.match(draw(menuOf(2), screen, false), /^\u001B\[3A\r\u001B\[JWhich/)
    assert.doesNotMatch(draw(menuOf(2), { ...screen, isDumb: true }, false), /\u001B/)
  })

  it('resolves with the template, or with nothing when the person leaves', async () => {
    let type: (text: string) => void = () => undefined
    const listen = (typed: (text: string) => void) => {
      type = typed
      return { [Symbol.dispose]: () => (type = () => undefined) }
    }
    let written = ''
    const write = (text: string): void => void (written += text)
    const { choices } = menuOf(3)
    const leaves = new AbortController()
    const chosen = choose(choices, () => screen, write, listen, leaves.signal)
    type('\u001B[B')
    type('\r')
    assert.equal(await chosen, 't2')
    assert.match(written, /> 1 {2}t1[^]*> 2 {2}t2/)
    const left = choose(choices, () => screen, write, listen, leaves.signal)
    leaves.abort()
    assert.equal(await left, undefined)
  })
})
