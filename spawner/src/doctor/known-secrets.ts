// Gathers the secrets that this process, the running services and the environment file have. Pure.
import { Secret } from '@berth/shared/secret'
import type { KnownSecret, ServiceFacts, TellsFromHost } from './facts.ts'
import { secretsOfServices } from './sign-in.ts'

type Environment = Readonly<Record<string, string | undefined>>

export function knownSecrets(
  own: Environment,
  services: readonly ServiceFacts[],
  host: TellsFromHost,
): readonly KnownSecret[] {
  const running = services.filter((service) => service.running)
  const all = [
    ...secretsOf('spawner', 'spawner', own),
    ...running
      .filter(({ role }) => role !== 'spawner')
      .flatMap(({ role, environment }) => secretsOf(role, role, environment)),
  ]
  // What runs counts. Only what no running service tells is read from the file.
  const told = new Set(all.map(({ name }) => name))
  const names = new Set(Object.values(secretsOfServices).flatMap((one) => Object.values(one)))
  const inFile = [...names]
    .filter((name) => !told.has(name))
    .flatMap((name) => secretsOf(undefined, 'the environment file', host.secrets, name))
  return [...all, ...(Object.keys(host.secrets).length === 0 ? [] : inFile)]
}

function secretsOf(
  role: string | undefined,
  where: string,
  environment: Environment,
  only?: string,
): readonly KnownSecret[] {
  const variables = only === undefined ? (secretsOfServices[role ?? ''] ?? {}) : { [only]: only }
  return Object.entries(variables)
    .filter(
      ([variable]) =>
        variable in environment || `${variable}_FILE` in environment || only !== undefined,
    )
    .map(([variable, name]) => {
      const text = (environment[variable] ?? '').trim()
      const inFile = (environment[`${variable}_FILE`] ?? '') !== ''
      return { name, where, secret: text === '' ? undefined : new Secret(text), inFile }
    })
}
