// Lets only administrators pass. The attempt of anybody else is audited.
import type { Request } from 'express'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { Audit } from '../../audit.ts'
import { plainText } from '../http/plain-text.ts'
import { requestIdOf } from '../http/request-ids.ts'
import { isAdministrator, type Administrators } from '@berth/shared/administrators'

/** A person who tries again and again is audited once in this time, so that nobody can flood the log and the history. */
const auditedEveryMs = 60_000

/** @returns whether the request is one of an administrator */
export type CheckAdministrator = (request: Request) => boolean

export function createAdministratorCheck(deps: {
  administrators: Administrators
  audit: Audit
  clock: Clock
  personOf: (request: Request) => Person
}): CheckAdministrator {
  const { administrators, audit, clock, personOf } = deps
  const auditedAt = new Map<string, number>()

  function noteAttempt({ name }: Person, { method, originalUrl, res }: Request): void {
    const now = clock.now()
    for (const [before, at] of auditedAt) if (at + auditedEveryMs <= now) auditedAt.delete(before)
    if (auditedAt.has(name)) return
    auditedAt.set(name, now)
    const path = originalUrl.replace(/^.*?(?=\/(?:api\/v1\/)?admin\b)/, '').replace(/\?.*/, '')
    const target = plainText(`${method} ${path}`, 200)
    const at = clock.wall()
    const requestId = res && requestIdOf(res)
    const attempt = { at, administrator: name, act: 'open', target, why: '', requestId } as const
    audit({ ...attempt, outcome: 'refused' })
  }

  return (request) => {
    const person = personOf(request)
    if (isAdministrator(person, administrators)) return true
    noteAttempt(person, request)
    return false
  }
}
