// A person with a session at the gateway, and the kinds of requests that a person makes.
import { createCookieJar, type CookieJar } from './cookie-jar.ts'
import { send, type Answer, type Question } from './http.ts'
import { openWebSocket, type OpenWebSocket } from './web-socket.ts'
import { openEvents, type EventStream } from './event-stream.ts'
import { beginSignIn, type Site } from './sign-in.ts'

export type Extras = Partial<Omit<Question, 'url' | 'place'>>

export interface Person {
  readonly login: string
  readonly site: Site
  readonly jar: CookieJar
  /** What a browser sends when a person opens an address. */
  navigate(path: string, extras?: Extras): Promise<Answer>
  /** A request of a script in the page, with the headers that browsers add. */
  fetch(path: string, extras?: Extras): Promise<Answer>
  /** curl, git and the like. */
  ask(path: string, extras?: Extras): Promise<Answer>
  /** The button of Berth's own pages. */
  press(action: 'start' | 'cancel'): Promise<Answer>
  webSocket(path: string, headers?: Record<string, string>): Promise<OpenWebSocket>
  events(path?: string): Promise<EventStream>
}

export const navigation = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
} as const

/** In the development provider the password is the name of the person. */
export async function signIn(site: Site, login: string, password = login): Promise<Person> {
  const jar = createCookieJar()
  const pending = await beginSignIn(site, jar)
  await pending.submit(login, password)
  return createPerson(site, login, jar)
}

export function createPerson(site: Site, login: string, jar: CookieJar): Person {
  async function ask(path: string, extras: Extras = {}): Promise<Answer> {
    const url = new URL(path, site.origin)
    const cookie = [jar.header(url), extras.headers?.['cookie'] ?? ''].filter(Boolean).join('; ')
    const answer = await send({
      url,
      place: site.placeOf(url),
      target: path,
      ...extras,
      headers: { accept: '*/*', ...extras.headers, ...(cookie === '' ? {} : { cookie }) },
    })
    jar.take(url, answer.setCookies)
    return answer
  }
  const withHeaders = (headers: Record<string, string>, extras: Extras = {}): Extras => ({
    ...extras,
    headers: { ...headers, ...extras.headers },
  })
  const ofPage = {
    'sec-fetch-mode': 'cors',
    'sec-fetch-site': 'same-origin',
    referer: `${site.origin}/`,
  }

  return {
    login,
    site,
    jar,
    ask,
    navigate: (path, extras) => ask(path, withHeaders(navigation, extras)),
    fetch: (path, extras) => ask(path, withHeaders(ofPage, extras)),
    press: (action) =>
      ask(`/.berth/${action}`, {
        method: 'POST',
        headers: { ...ofPage, origin: site.origin, 'content-length': '0' },
      }),
    webSocket: (path, headers = {}) => {
      const url = new URL(path, site.origin)
      return openWebSocket(url, site.placeOf(url), {
        origin: site.origin,
        cookie: jar.header(url),
        ...headers,
      })
    },
    events: async (path = '/.berth/events') =>
      openEvents(await ask(path, withHeaders({ ...ofPage, accept: 'text/event-stream' }))),
  }
}
