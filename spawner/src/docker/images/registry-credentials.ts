// Finds the credentials of a registry in a Docker configuration as `docker login` writes it. Pure.
import { z } from 'zod'
import { dockerHub, parseImageReference } from '../../templates/image-reference.ts'

export interface RegistryCredentials {
  readonly serveraddress: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
}

export type CredentialsResult =
  | { readonly status: 'none' }
  | { readonly status: 'found'; readonly credentials: RegistryCredentials }
  /** The configuration mentions them, but they cannot be read; `why` is a sentence. */
  | { readonly status: 'unavailable'; readonly why: string }

const entry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
})

const schema = z.object({
  auths: z.record(z.string(), entry).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().default(''),
})
export type DockerConfiguration = z.infer<typeof schema>

/** @returns `undefined` if the text is not a Docker configuration. The error is dropped: it might quote a password. */
export function parseDockerConfiguration(text: string): DockerConfiguration | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Docker's own registry is written down under several names. */
const namesOfHub = ['index.docker.io', 'registry-1.docker.io', dockerHub]

/** @returns the registry of a reference, by one name */
export function registryOf(reference: string): string {
  return registryOfKey(parseImageReference(reference).registry)
}

/** @param key a host, or a URL such as `https://index.docker.io/v1/` */
function registryOfKey(key: string): string {
  const host = key
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase()
  return namesOfHub.includes(host) ? dockerHub : host
}

function valueFor<T>(entries: Readonly<Record<string, T>>, registry: string): T | undefined {
  return Object.entries(entries).find(([key]) => registryOfKey(key) === registry)?.[1]
}

export function credentialsFor(config: DockerConfiguration, reference: string): CredentialsResult {
  const registry = registryOf(reference)
  const helper = valueFor(config.credHelpers, registry)
  if (helper !== undefined) return keptByHelper(registry, helper)
  const known = valueFor(config.auths, registry)
  if (known === undefined) return { status: 'none' }
  const credentials = decode(
    known,
    registry === dockerHub ? 'https://index.docker.io/v1/' : registry,
  )
  if (credentials !== undefined) return { status: 'found', credentials }
  // With a credential store, `docker login` writes an empty entry here.
  if (config.credsStore !== '') return keptByHelper(registry, config.credsStore)
  return { status: 'unavailable', why: `The entry for ${registry} under auths has no credentials.` }
}

function keptByHelper(registry: string, helper: string): CredentialsResult {
  const why = `The credentials for ${registry} are kept by docker-credential-${helper}, which is not available here: put them under auths.`
  return { status: 'unavailable', why }
}

function decode(
  { auth, username, password, identitytoken }: z.infer<typeof entry>,
  serveraddress: string,
): RegistryCredentials | undefined {
  const text = Buffer.from(auth ?? '', 'base64')
    .toString('utf8')
    .replace(/\0+$/, '')
  const colon = text.indexOf(':')
  const [name, word] =
    colon > 0 ? [text.slice(0, colon), text.slice(colon + 1)] : [username, password]
  if (identitytoken !== undefined && identitytoken !== '') return { serveraddress, identitytoken }
  if (name === undefined || word === undefined || word === '') return undefined
  return { serveraddress, username: name, password: word }
}
