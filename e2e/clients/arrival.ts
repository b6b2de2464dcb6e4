// Leads a person from an address to their workspace, as the loading page does.
import assert from 'node:assert/strict'
import { statusOf, type ServerEvent } from './event-stream.ts'
import type { Answer } from './http.ts'
import type { Person } from './people.ts'

/** Navigates, waits at the loading page if there is one, and navigates again. */
export async function arrive(person: Person, path = '/', withinMs = 60_000): Promise<Answer> {
  const first = await person.navigate(path)
  if (first.status !== 503) return first
  first.leave()
  const stream = await person.events()
  try {
    const end = await stream.first(`${person.login} is ready or failed`, withinMs, isSettled)
    assert.equal(statusOf(end).phase, 'ready', `${person.login}: ${end.data}`)
  } finally {
    stream.close()
  }
  return person.navigate(path)
}

function isSettled(event: ServerEvent): boolean {
  return event.event === 'phase' && ['ready', 'failed'].includes(statusOf(event).phase)
}

/** The hostname of the container that answers. */
export async function hostnameOf(person: Person): Promise<string> {
  const answer = await arrive(person, '/whoami')
  assert.equal(answer.status, 200)
  const { hostname } = await answer.json<{ hostname: string }>()
  return hostname
}
