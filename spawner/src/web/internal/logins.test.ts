import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LoginRequest } from '@berth/shared/contract'
import { guestOf } from '@berth/shared/guests'
import { parsePrefix, type UserName } from '@berth/shared/names'
import type { SignIn } from '../../loop/sign-ins.ts'
import { createSignIns } from '../../loop/sign-ins.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { createLog } from '@berth/shared/log'
import type { Template } from '../../templates/template.ts'
import { createStandIn } from '../testing/stand-in.ts'
import { answerLogin } from './logins.ts'

const day = 86_400_000
const login = { method: 'exec', shell: '/bin/sh', user: '' } as const
const template = (name: string, more: Partial<Template> = {}): Template => {
  const prefix = parsePrefix(name)
  if (prefix === undefined) throw new TypeError(name)
  return { ...testTemplate(prefix), ssh: login, ...more }
}
const web = (): Template => {
  const made: { ssh?: unknown } & Template = template('web')
  delete made.ssh
  return made
}
const forGroup = (name: string, group: string): Template => {
  const made = template(name)
  return { ...made, policy: { ...made.policy, allowedGroups: [group] } }
}
const alice = { name: 'alice' as UserName, subject: 'u-alice', groups: ['staff'] }
const request: LoginRequest = { director: 'd1', user: alice.name, maxAgeMs: 30 * day }

function templateFor(...asked: Parameters<typeof ask>): string | undefined {
  const answer = ask(...asked)
  return 'template' in answer ? answer.template : undefined
}

function ask(templates: readonly Template[], asked: Partial<LoginRequest> = {}, signIn?: SignIn) {
  const offered = new Map(templates.map((each) => [each.name, each]))
  const state = createStandIn([], offered).state()
  return answerLogin(
    { ...request, ...asked },
    {
      state,
      signIn: signIn ?? { person: alice, at: 0 },
      now: day,
      publicUrl: 'https://berth.example.com',
      phaseOf: () => 'absent',
    },
  )
}

describe('a login by key', () => {
  it('is of the person as the gateway told it last, and leads to the only template', () => {
    assert.deepEqual(ask([template('lab'), web()]), { person: alice, template: 'lab' })
  })

  it('needs a sign-in on the web that is not too old', () => {
    const state = createStandIn([], new Map()).state()
    const known = {
      state,
      now: day,
      publicUrl: 'https://berth.example.com',
      phaseOf: () => 'absent' as const,
    }
    assert.throws(() => answerLogin(request, { ...known, signIn: undefined }), {
      code: 'sign_in_needed',
      message: /https:\/\/berth\.example\.com/,
    })
    const old = { person: alice, at: 0 }
    assert.throws(
      () => answerLogin(request, { ...known, now: 31 * day, signIn: old }),
      /more than 30d ago/,
    )
  })

  it('asks each time whether the person may use the template', () => {
    const templates = [template('lab'), forGroup('exam', 'students')]
    assert.equal(templateFor(templates), 'lab')
    assert.throws(() => ask(templates, { template: 'exam' }), { code: 'template_forbidden' })
    assert.throws(() => ask([forGroup('exam', 'students')]), { code: 'template_forbidden' })
    assert.equal(templateFor([forGroup('exam', 'staff')]), 'exam')
  })

  it('names the choices where there are several, and takes the chosen one', () => {
    const templates = [template('lab'), template('board')]
    assert.throws(() => ask(templates), /alice\+lab, alice\+board/)
    assert.equal(templateFor(templates, { template: 'board' }), 'board')
  })

  it('answers with the choices where the person can be asked, each with its phase and its free seats', () => {
    const room = template('room')
    const templates = [
      template('lab', { title: 'JupyterLab', description: 'Notebooks' }),
      { ...room, policy: { ...room.policy, seats: 5 } },
      forGroup('exam', 'students'),
    ]
    assert.deepEqual(ask(templates, { offersChoice: true }), {
      person: alice,
      choices: [
        { template: 'lab', title: 'JupyterLab', description: 'Notebooks', phase: 'absent' },
        {
          template: 'room',
          title: room.title,
          description: room.description,
          phase: 'absent',
          freeSeats: 5,
        },
      ],
    })
    assert.equal(templateFor([template('lab')], { offersChoice: true }), 'lab')
  })

  it('reaches no template that does not say so', () => {
    assert.throws(() => ask([web()], { template: 'web' }), /in a browser only/)
    assert.throws(() => ask([web()]), { code: 'template_unknown' })
    assert.throws(() => ask([template('lab')], { template: 'none' }), /no template none/)
  })
})

describe('a login by TCP', () => {
  const database = (group: string): Template => {
    const tcp = { sources: [], certificates: true, seatsBy: 'address' } as const
    return { ...forGroup('db', group), kind: 'tcp', tcp }
  }

  it('is of the person as the gateway told it last, who may use the template', () => {
    const asked = { template: 'db', protocol: 'tcp' } as const
    assert.deepEqual(ask([database('staff')], asked), { person: alice, template: 'db' })
    assert.throws(() => ask([database('students')], asked), { code: 'template_forbidden' })
  })

  it('reaches no template of another kind, also one that is reached by SSH', () => {
    const asked = { template: 'lab', protocol: 'tcp' } as const
    assert.throws(() => ask([template('lab')], asked), { code: 'template_unknown' })
  })
})

describe('the sign-ins on the web', () => {
  it('are saved at once when they change, and otherwise now and then', () => {
    const saved: SignIn[] = []
    let wall = 0
    const signIns = createSignIns({
      store: { signIn: () => saved.at(-1), saveSignIn: (signIn) => void saved.push(signIn) },
      clock: { now: () => 0, wall: () => wall, wallOf: (moment) => moment },
      log: createLog({ service: 'test', level: 'silent' }),
    })
    signIns.note(alice)
    signIns.note(alice)
    assert.equal(saved.length, 1)
    signIns.note({ ...alice, groups: [] })
    assert.deepEqual(signIns.last(alice.name)?.person.groups, [])
    wall = 3_600_000
    signIns.note({ ...alice, groups: [] })
    assert.deepEqual(
      saved.map(({ at }) => at),
      [0, 0, 3_600_000],
    )
  })

  it('are not those of guests, so that no key and no address lets one in', () => {
    const saved: SignIn[] = []
    const signIns = createSignIns({
      store: { signIn: () => saved.at(-1), saveSignIn: (signIn) => void saved.push(signIn) },
      clock: { now: () => 0, wall: () => 0, wallOf: (moment) => moment },
      log: createLog({ service: 'test', level: 'silent' }),
    })
    const guest = guestOf({ origin: 'here', id: 'one' })
    signIns.note(guest)
    assert.equal(signIns.last(guest.name), undefined)
  })

  it('that cannot be saved do not end the request', () => {
    const signIns = createSignIns({
      store: {
        signIn: () => undefined,
        saveSignIn: () => {
          throw new Error('the disk is full')
        },
      },
      clock: { now: () => 0, wall: () => 0, wallOf: (moment) => moment },
      log: createLog({ service: 'test', level: 'silent' }),
    })
    signIns.note(alice)
    assert.equal(signIns.last(alice.name)?.person.name, 'alice')
  })
})
