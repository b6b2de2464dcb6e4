// Signs in like a browser, by plain HTTP: through the gateway to the form of the provider and back.
import { plant } from '../deployment/planted-secrets.ts'
import type { CookieJar } from './cookie-jar.ts'
import { send, type Answer } from './http.ts'
import type { Place } from './place.ts'

export interface Site {
  /** Where people reach Berth, such as `http://localhost:4180`. */
  readonly origin: string
  /** Where to connect for a URL. */
  placeOf(url: URL): Place
}

const mostSteps = 12

/** A sign-in that has reached the form of the provider. */
export interface PendingSignIn {
  readonly form: string
  /** @returns where the gateway finally redirects the person. That address has not been requested yet */
  submit(login: string, password: string): Promise<URL>
}

export async function beginSignIn(site: Site, jar: CookieJar, path = '/'): Promise<PendingSignIn> {
  const { answer, url } = await follow(site, jar, new URL(path, site.origin), (next) =>
    isArrival(site, next),
  )
  if (answer === undefined) throw new Error(`${url.href}: this session is already signed in`)
  const form = await answer.text()
  if (answer.status !== 200 || !form.includes('name="password"'))
    throw new Error(`${url.href} is no sign-in form: ${answer.status} ${form.slice(0, 300)}`)
  return {
    form,
    async submit(login, password) {
      const body = new URLSearchParams({ login, password }).toString()
      const posted = await ask(site, jar, url, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: url.origin,
        },
      })
      const location = posted.headers.location
      if (location === undefined)
        throw new Error(`signing in ${login} failed: ${posted.status} ${await posted.text()}`)
      posted.leave()
      const end = await follow(site, jar, new URL(location, url), (next) => isArrival(site, next))
      if (end.answer === undefined) return end.url
      throw new Error(
        `signing in ${login} ended at ${end.url.href}: ${end.answer.status} ${await end.answer.text()}`,
      )
    },
  }
}

/** A person who is already signed in at the provider sees no form. */
export async function passThrough(site: Site, jar: CookieJar, path = '/'): Promise<URL> {
  const first = await ask(site, jar, new URL(path, site.origin))
  const location = first.headers.location
  if (location === undefined) throw new Error(`${path}: ${first.status}, not sent to sign in`)
  first.leave()
  const begin = new URL(location, site.origin)
  const end = await follow(site, jar, begin, (next) => isArrival(site, next))
  if (end.answer === undefined) return end.url
  throw new Error(`ended at ${end.url.href}: ${end.answer.status}`)
}

/** The sign-in is over when the gateway leads to a path that is not its own. */
function isArrival(site: Site, url: URL): boolean {
  return url.origin === site.origin && !url.pathname.startsWith('/oauth2/')
}

async function follow(
  site: Site,
  jar: CookieJar,
  start: URL,
  arrived: (next: URL) => boolean,
): Promise<{ answer?: Answer; url: URL }> {
  let url = start
  for (let step = 0; step < mostSteps; step += 1) {
    const answer = await ask(site, jar, url)
    const location = answer.headers.location
    if (answer.status < 300 || answer.status >= 400 || location === undefined)
      return { answer, url }
    answer.leave()
    url = new URL(location, url)
    plant('code of a sign-in', url.searchParams.get('code'))
    if (arrived(url)) return { url }
  }
  throw new Error(`${start.href} redirected too often, finally to ${url.href}`)
}

async function ask(
  site: Site,
  jar: CookieJar,
  url: URL,
  options: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const cookie = jar.header(url)
  const answer = await send({
    url,
    place: site.placeOf(url),
    ...options,
    headers: {
      accept: 'text/html,application/xhtml+xml',
      'sec-fetch-mode': 'navigate',
      ...options.headers,
      ...(cookie === '' ? {} : { cookie }),
    },
  })
  jar.take(url, answer.setCookies)
  return answer
}
