// The OpenID Connect side: one static client, claims from the list of people, consent given at once.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import Provider, { type AdapterFactory, type Configuration } from 'oidc-provider'
import type { Config } from './config.ts'
import type { Page, Pages } from './pages.ts'
import type { People, Person } from './people.ts'

const minute = 60
const hour = 60 * minute

const callbackPath = '/oauth2/callback'

export function createProvider(config: Config, store: AdapterFactory, pages: Pages): Provider {
  const provider = new Provider(config.issuer, configurationOf(config, store, pages))
  allowAnyLocalName(provider, config.gatewayPort)
  return provider
}

/** The provider knows lists of addresses only. Its own documentation extends this method for anything else. */
function allowAnyLocalName(provider: Provider, gatewayPort: number): void {
  const { prototype } = provider.Client
  const isListed: (this: unknown, uri: string) => boolean = Reflect.get(
    prototype,
    'redirectUriAllowed',
  )
  prototype.redirectUriAllowed = function (uri) {
    return isListed.call(this, uri) || isLocalCallback(uri, gatewayPort)
  }
}

function isLocalCallback(uri: string, gatewayPort: number): boolean {
  const [, name] = /^http:\/\/((?:[a-z0-9-]+\.)+localhost):/.exec(uri) ?? []
  return uri === `http://${name}:${gatewayPort}${callbackPath}`
}

function configurationOf(config: Config, store: AdapterFactory, pages: Pages): Configuration {
  return {
    adapter: store,
    clients: [clientOf(config)],
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'name'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    // The gateways read only the id_token.
    conformIdTokenClaims: false,
    findAccount: (_context, subject) => accountOf(config.people, subject),
    loadExistingGrant: grantAtOnce,
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => show(context, pages.signOut(form)),
        postLogoutSuccessSource: (context) =>
          show(context, pages.message({ title: 'Signed out', text: 'You can close this page.' })),
      },
    },
    renderError: (context, out) =>
      show(
        context,
        pages.message({
          title: 'This did not work',
          text: 'The sign-in cannot go on from here.',
          detail: [out.error, out.error_description].filter(Boolean).join(': '),
        }),
      ),
    ttl: {
      AccessToken: hour,
      AuthorizationCode: minute,
      IdToken: hour,
      // A tab may stay at the form for a while.
      Interaction: 8 * hour,
      Session: 24 * hour,
      Grant: 24 * hour,
    },
  }
}

function clientOf(config: Config): NonNullable<Configuration['clients']>[number] {
  return {
    client_id: config.clientId,
    client_secret: config.clientSecret,
    redirect_uris: config.gatewayOrigins.map((origin) => `${origin}${callbackPath}`),
    post_logout_redirect_uris: config.gatewayOrigins.flatMap((origin) => [origin, `${origin}/`]),
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }
}

function signingKey(): NonNullable<Configuration['jwks']>['keys'][number] {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ format: 'jwk' })
}

function accountOf(people: People, subject: string) {
  const person = people.bySubject(subject)
  if (person === undefined) return undefined
  return { accountId: subject, claims: () => claimsOf(person) }
}

export function claimsOf(person: Person) {
  return {
    sub: person.subject,
    preferred_username: person.name,
    name: person.name,
    groups: [...person.groups],
    ...(person.email === undefined ? {} : { email: person.email, email_verified: true }),
  }
}

/** The demo asks for no consent. */
const grantAtOnce: NonNullable<Configuration['loadExistingGrant']> = async (context) => {
  const { client, session, provider, account } = context.oidc
  if (client === undefined || account === undefined) return undefined
  const grantId = session?.grantIdFor(client.clientId)
  const existing = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant =
    existing ?? new provider.Grant({ clientId: client.clientId, accountId: account.accountId })
  grant.addOIDCScope('openid email profile groups')
  await grant.save()
  return grant
}

interface Shown {
  set(headers: Record<string, string>): void
  body: unknown
}

function show(context: Shown, page: Page): void {
  context.set({ ...page.headers })
  context.body = page.html
}
