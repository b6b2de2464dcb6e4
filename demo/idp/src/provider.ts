// The OpenID Connect side: one static client, claims from the list of people, consent given at once.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import Provider, { interactionPolicy, type AdapterFactory, type Configuration } from 'oidc-provider'
import type { Config } from './config.ts'
import type { Page, Pages } from './pages.ts'
import type { People } from './people.ts'
import type { Shape } from './shapes.ts'

const minute = 60
const hour = 60 * minute

const callbackPath = '/oauth2/callback'

export function createProvider(config: Config, store: AdapterFactory, pages: Pages): Provider {
  const provider = new Provider(config.issuer, configurationOf(config, store, pages))
  allowAnyLocalName(provider, config.gatewayPort)
  return provider
}

/** The provider knows lists of addresses only. Its own documentation extends these methods for anything else. */
function allowAnyLocalName(provider: Provider, gatewayPort: number): void {
  const { prototype } = provider.Client
  for (const [method, path] of [
    ['redirectUriAllowed', callbackPath],
    ['postLogoutRedirectUriAllowed', '/'],
  ] as const) {
    const isListed: (this: unknown, uri: string) => boolean = Reflect.get(prototype, method)
    prototype[method] = function (uri) {
      return isListed.call(this, uri) || isLocal(uri, gatewayPort, path)
    }
  }
}

function isLocal(uri: string, gatewayPort: number, path: string): boolean {
  const [, name] = /^http:\/\/((?:[a-z0-9-]+\.)+localhost):/.exec(uri) ?? []
  return uri === `http://${name}:${gatewayPort}${path}`
}

function configurationOf(config: Config, store: AdapterFactory, pages: Pages): Configuration {
  const { shape } = config
  return {
    adapter: store,
    clients: [clientOf(config)],
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    // The provider ignores what it does not know, and refuses what it knows and the client may not ask for.
    scopes: [...scopesOf(shape), ...(shape.otherScopes === 'refused' ? otherScopes : [])],
    claims: claimsByScope(shape),
    conformIdTokenClaims: shape.userinfoOnly ?? false,
    findAccount: (_context, subject) => accountOf(config.people, shape, subject),
    loadExistingGrant: grantAtOnce(scopesOf(shape)),
    interactions: { policy: policyWithChoice() },
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: {
        enabled: shape.keepsSession !== true,
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
    ...(config.shape.otherScopes === 'refused' ? { scope: scopesOf(config.shape).join(' ') } : {}),
    ...(config.shape.github === true ? { token_endpoint_auth_method: 'client_secret_post' } : {}),
  }
}

/** `prompt=select_account` shows the form even to a person who is signed in. */
function policyWithChoice(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
  return policy
}

/** Scopes that a gateway may ask for, and that not every provider has. */
const otherScopes = ['groups']

const scopesOf = (shape: Shape): string[] => Object.keys(shape.scopes)

/** The claims of a plain OAuth scope would be none. */
function claimsByScope(shape: Shape): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(shape.scopes).flatMap(([scope, claims]) =>
      claims.length === 0 ? [] : [[scope, [...claims]]],
    ),
  )
}

function signingKey(): NonNullable<Configuration['jwks']>['keys'][number] {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ format: 'jwk' })
}

function accountOf(people: People, shape: Shape, subject: string) {
  const person = people.bySubject(subject)
  if (person === undefined) return undefined
  return { accountId: subject, claims: () => ({ ...shape.claimsOf(person), sub: subject }) }
}

/** The demo asks for no consent. */
function grantAtOnce(scopes: readonly string[]): NonNullable<Configuration['loadExistingGrant']> {
  return async (context) => {
    const { client, session, provider, account } = context.oidc
    if (client === undefined || account === undefined) return undefined
    const grantId = session?.grantIdFor(client.clientId)
    const existing = grantId === undefined ? undefined : await provider.Grant.find(grantId)
    const grant =
      existing ?? new provider.Grant({ clientId: client.clientId, accountId: account.accountId })
    grant.addOIDCScope(scopes.join(' '))
    await grant.save()
    return grant
  }
}

interface Shown {
  set(headers: Record<string, string>): void
  body: unknown
}

function show(context: Shown, page: Page): void {
  context.set({ ...page.headers })
  context.body = page.html
}
