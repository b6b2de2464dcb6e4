// The portal's pages for SSH: the keys that a person registers, and the sign-in that a terminal waits for.
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Person } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import type { FetchKeys } from '../../ssh/fetch-keys.ts'
import type { RegisteredKey, RegisteredKeys } from '../../ssh/keys.ts'
import { shownFingerprint } from '../../ssh/keys.ts'
import { readCode, type TerminalSignIns } from '../../ssh/terminal-sign-ins.ts'
import { formField, textField } from '../http/form-field.ts'
import { plainText } from '../http/plain-text.ts'
import { requestIdOf } from '../http/request-ids.ts'
import type { FormTokens } from './form-token.ts'
import type { KeysDraft, PortalPages } from './portal-pages.ts'
import { keyNotices, signInDone } from './words.ts'

export function createSshRoutes(deps: {
  readonly keys: RegisteredKeys
  readonly terminalSignIns: TerminalSignIns
  readonly fetchKeys: FetchKeys
  readonly pages: PortalPages
  readonly tokens: FormTokens
  readonly personOf: (request: Request) => Person
  readonly log: Log
}): Router {
  const { keys, terminalSignIns, fetchKeys, pages, tokens, personOf, log } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const form = urlencoded({ extended: false, limit: '64kb', parameterLimit: 10 })

  router.get('/keys', (request, response) => {
    const person = personOf(request)
    const notice = keyNotices.get(request.query['notice'])
    response.end(pages.keys(person, keys.of(person), { notice }))
  })

  type Act = (
    person: Person,
    request: Request,
  ) => Promise<{ notice: string; changed: readonly RegisteredKey[] }>

  const acts: Readonly<Record<'add' | 'import' | 'remove', Act>> = {
    async add(person, request) {
      const name = plainText(textField(request, 'name').trim(), 100)
      return { notice: 'added', changed: keys.add(person, textField(request, 'key'), name) }
    },
    async import(person, request) {
      const text = await fetchKeys(textField(request, 'address').trim())
      return { notice: 'added', changed: keys.add(person, text, '') }
    },
    async remove(person, request) {
      const removed = keys.remove(person, textField(request, 'fingerprint'))
      return { notice: 'removed', changed: removed === undefined ? [] : [removed] }
    },
  }

  for (const [act, carryOut] of Object.entries(acts))
    router
      .route(`/keys/${act}`)
      .post(form, async (request: Request, response: Response) => {
        const person = personOf(request)
        if (!tokens.accepts(person, formField(request, 'token')))
          return response.redirect(303, '/keys?notice=expired')
        try {
          const { notice, changed } = await carryOut(person, request)
          const requestId = requestIdOf(response)
          for (const key of changed)
            log.info(
              { user: person.name, fingerprint: shownFingerprint(key), requestId },
              `ssh key ${notice}`,
            )
          response.redirect(303, `/keys?notice=${notice}`)
        } catch (error) {
          if (!(error instanceof BerthError)) throw error
          const draft: KeysDraft = {
            complaint: error.message,
            about: act === 'import' ? 'address' : 'key',
            key: textField(request, 'key'),
            name: textField(request, 'name'),
            address: textField(request, 'address'),
          }
          response.status(400).end(pages.keys(person, keys.of(person), { draft }))
        }
      })
      // A form whose session had expired comes back from the sign-in as a GET, which changes nothing.
      .get((_request, response) => response.redirect(303, '/keys?notice=expired'))

  router
    .route('/ssh/:code')
    .get((request, response) => {
      const person = personOf(request)
      const code = readCode(request.params.code)
      const done = signInDone.get(request.query['done'])
      const signIn = terminalSignIns.find(code, person)
      if (done !== undefined) return response.end(pages.signInDone(person, done))
      if (signIn?.state !== 'waiting')
        return response.status(404).end(pages.signInDone(person, signInDone.get('gone') ?? []))
      const expired = request.query['notice'] === 'expired'
      return response.end(pages.terminalSignIn(person, signIn, expired))
    })
    .post(form, (request, response) => {
      const person = personOf(request)
      const code = readCode(String(request.params['code']))
      if (!tokens.accepts(person, formField(request, 'token')))
        return response.redirect(303, `/ssh/${code}?notice=expired`)
      const state = formField(request, 'act') === 'allow' ? 'allowed' : 'refused'
      const { key, address } = terminalSignIns.find(code, person) ?? {}
      if (!terminalSignIns.decide(code, person, state))
        return response.redirect(303, `/ssh/${code}?done=gone`)
      const requestId = requestIdOf(response)
      const { name: user } = person
      log.info({ user, address, requestId }, `sign-in from a terminal ${state}`)
      const isRemembered = state === 'allowed' && formField(request, 'remember') === 'yes'
      const kept = isRemembered && key !== undefined && remember(person, key, address, requestId)
      return response.redirect(303, `/ssh/${code}?done=${kept ? 'remembered' : state}`)
    })
  return router

  function remember(
    person: Person,
    key: string,
    address: string | undefined,
    requestId: string,
  ): boolean {
    try {
      for (const added of keys.add(person, key, `from ${address ?? 'a terminal'}`))
        log.info(
          { user: person.name, fingerprint: shownFingerprint(added), requestId },
          'ssh key added',
        )
      return true
    } catch (error) {
      if (!(error instanceof BerthError)) throw error
      return false
    }
  }
}
