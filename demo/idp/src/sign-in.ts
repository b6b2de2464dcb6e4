// The sign-in form at /interaction/:uid. Each tab has its own interaction and cookies, so several can be open.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bounded, type Log } from '@berth/shared/log'
import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'
import { readForm } from './form.ts'
import type { Page, Pages } from './pages.ts'
import type { People } from './people.ts'

export interface SignIn {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

export function createSignIn(deps: {
  provider: Provider
  people: People
  pages: Pages
  log: Log
}): SignIn {
  const { provider, people, pages, log } = deps

  async function findInteraction(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Interaction | undefined> {
    try {
      return await provider.interactionDetails(request, response)
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined
      throw error
    }
  }

  async function submit(
    interaction: Interaction,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const form = await readForm(request)
    const login = form?.get('login') ?? ''
    const person = people.signIn(login.trim(), form?.get('password') ?? '')
    if (person === undefined) {
      log.info({ login: bounded(login, 100) }, 'sign-in refused')
      send(response, 422, pages.signIn({ login, refused: true, ...target(interaction) }))
      return
    }
    log.info({ login: bounded(login, 100) }, 'sign-in accepted')
    const result = { login: { accountId: person.subject }, select_account: {} }
    await provider.interactionFinished(request, response, result)
  }

  return {
    async handle(request, response) {
      const interaction = await findInteraction(request, response)
      if (interaction === undefined) {
        send(
          response,
          400,
          pages.message({
            title: 'This sign-in is over',
            text: 'It was used already, took too long, or the provider was restarted meanwhile.',
          }),
        )
        return
      }
      if (request.method === 'POST') return submit(interaction, request, response)
      const hint = interaction.params['login_hint']
      const login = typeof hint === 'string' ? hint : ''
      send(response, 200, pages.signIn({ login, refused: false, ...target(interaction) }))
    },
  }
}

/** The destination of the person, from the redirect URI, which the provider has checked. */
function target(interaction: Interaction): { returnHost: string } {
  const uri = interaction.params['redirect_uri']
  return {
    returnHost: typeof uri === 'string' && URL.canParse(uri) ? new URL(uri).host : 'the demo',
  }
}

export function send(response: ServerResponse, status: number, page: Page): void {
  response.writeHead(status, { ...page.headers, 'content-length': Buffer.byteLength(page.html) })
  response.end(page.html)
}
