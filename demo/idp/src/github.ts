// The part of GitHub's REST API that a gateway asks who a person is: below /api/v3, as on GitHub Enterprise Server.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { People, Person } from './people.ts'

export const githubPath = '/api/v3'

/** The organization that everybody of the demo is a member of. */
const organization = 'example'

export function createGithubApi(deps: { provider: Provider; people: People }) {
  const { provider, people } = deps

  async function personOf(request: IncomingMessage): Promise<Person | undefined> {
    const [, token = ''] =
      /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '') ?? []
    const found = await provider.AccessToken.find(token)
    return found?.accountId === undefined ? undefined : people.bySubject(found.accountId)
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://idp.localhost')
    const person = await personOf(request)
    const answer =
      person === undefined
        ? undefined
        : answerTo(pathname.slice(githubPath.length), person, Number(searchParams.get('page') ?? 1))
    const status = person === undefined ? 401 : answer === undefined ? 404 : 200
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(answer ?? { message: status === 401 ? 'Bad credentials' : 'Not Found' }),
    )
  }
}

function answerTo(path: string, { name, email, groups }: Person, page: number): unknown {
  const onFirstPage = <T>(list: readonly T[]): readonly T[] => (page === 1 ? list : [])
  switch (path) {
    case '/user':
      return { login: name, email: null }
    case '/user/emails':
      return email === undefined ? [] : [{ email, primary: true, verified: true }]
    case '/user/orgs':
      return onFirstPage([{ login: organization }])
    case '/user/teams':
      return onFirstPage(
        groups.map((slug) => ({ name: slug, slug, organization: { login: organization } })),
      )
    default:
      return undefined
  }
}
