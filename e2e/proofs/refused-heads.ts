// Heads of requests that a director must refuse, each with the answer. For requests and upgrades alike.

export interface Given {
  readonly host: string
  readonly secret: string
}

export interface RefusedHead {
  readonly name: string
  readonly headers: (given: Given) => string[]
  readonly status: number
  readonly code: string
}

export const identity = 'X-Forwarded-Preferred-Username'

const host = (given: Given): string => `Host: ${given.host}`
const secret = (given: Given): string => `Berth-Gateway-Secret: ${given.secret}`

/** What a gateway sends for her. */
export const alice = (given: Given): string[] => [
  host(given),
  secret(given),
  `${identity}: alice`,
  'X-Forwarded-User: u-alice',
]

export const refusedHeads: readonly RefusedHead[] = [
  {
    name: 'no identity at all',
    headers: (given) => [host(given), secret(given)],
    status: 401,
    code: 'identity_missing',
  },
  {
    name: 'an empty identity',
    headers: (given) => [host(given), secret(given), `${identity}:`],
    status: 401,
    code: 'identity_missing',
  },
  {
    name: 'two identities',
    headers: (given) => [...alice(given), `${identity}: bob`],
    status: 403,
    code: 'identity_ambiguous',
  },
  {
    name: 'the same identity twice',
    headers: (given) => [...alice(given), `${identity}: alice`],
    status: 403,
    code: 'identity_ambiguous',
  },
  {
    name: 'a comma in the identity',
    headers: (given) => [host(given), secret(given), `${identity}: alice, bob`],
    status: 403,
    code: 'identity_ambiguous',
  },
  {
    name: 'a second identity spelt with an underscore',
    headers: (given) => [...alice(given), 'X_Forwarded_Preferred_Username: bob'],
    status: 400,
    code: 'bad_request',
  },
  {
    name: 'only an identity spelt with underscores',
    headers: (given) => [host(given), secret(given), 'X_Forwarded_Preferred_Username: bob'],
    status: 400,
    code: 'bad_request',
  },
  {
    name: 'an identity that is not UTF-8',
    headers: (given) => [host(given), secret(given), `${identity}: m\xfcller`],
    status: 403,
    code: 'identity_invalid',
  },
  {
    name: 'two subjects',
    headers: (given) => [...alice(given), 'X-Forwarded-User: u-bob'],
    status: 403,
    code: 'identity_ambiguous',
  },
  {
    name: 'no secret',
    headers: (given) => [host(given), `${identity}: alice`],
    status: 403,
    code: 'gateway_untrusted',
  },
  {
    name: 'a wrong secret',
    headers: (given) => [
      host(given),
      `Berth-Gateway-Secret: ${'0'.repeat(48)}`,
      `${identity}: alice`,
    ],
    status: 403,
    code: 'gateway_untrusted',
  },
  {
    name: 'two secrets',
    headers: (given) => [...alice(given), secret(given)],
    status: 403,
    code: 'gateway_untrusted',
  },
  {
    name: 'a wrong secret as the password of Basic authorization',
    headers: (given) => [
      host(given),
      `Authorization: Basic ${Buffer.from('u:wrong').toString('base64')}`,
      `${identity}: alice`,
    ],
    status: 403,
    code: 'gateway_untrusted',
  },
  {
    name: 'two hosts',
    headers: (given) => [...alice(given), 'Host: other.example'],
    status: 400,
    code: 'bad_request',
  },
]
