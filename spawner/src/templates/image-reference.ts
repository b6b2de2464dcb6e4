// The parts of an image reference, as the engine reads it (distribution/reference: `[registry/]repository[:tag][@digest]`). Pure.

export interface ImageReference {
  /** With its port, if the reference names one; `docker.io` if the reference names no registry. */
  readonly registry: string
  /** With `library/` if it is one of Docker's official images. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

const domain =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+\\])(?::\\d+)?'
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const grammar = new RegExp(
  `^(?:${domain}/)?${component}(?:/${component})*(?::\\w[\\w.-]{0,127})?(?:@sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128}))?$`,
)

/** The engine would refuse any other text, only when a person asks for the workspace. */
export function isImageReference(text: string): boolean {
  return text.length <= 512 && (grammar.test(text) || /^sha256:[0-9a-f]{64}$/.test(text))
}

export const dockerHub = 'docker.io'

export function parseImageReference(text: string): ImageReference {
  const at = text.indexOf('@')
  const [tagged, digest] = at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
  // A colon before the last slash belongs to the registry's port.
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1)
  const [name, tag] =
    colon === -1 ? [tagged, ''] : [tagged.slice(0, colon), tagged.slice(colon + 1)]
  return {
    ...splitName(name),
    ...(tag === '' ? {} : { tag }),
    ...(digest === '' ? {} : { digest }),
  }
}

function splitName(name: string): Pick<ImageReference, 'registry' | 'repository'> {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const registry = isRegistry(first) ? first.replace(/^index\.(?=docker\.io$)/, '') : dockerHub
  const path = isRegistry(first) ? name.slice(slash + 1) : name
  const isOfficial = registry === dockerHub && !path.includes('/')
  return { registry, repository: isOfficial ? `library/${path}` : path }
}

/** A repository's name has no dot, colon or upper-case letter before its first slash. */
function isRegistry(first: string): boolean {
  return /[.:\p{Lu}]/u.test(first) || first === 'localhost'
}

/** One text for all spellings: `hello` and `index.docker.io/library/hello:latest` -> `docker.io/library/hello:latest`. */
export function canonicalReference(text: string): string {
  const reference = parseImageReference(text)
  return `${reference.registry}/${reference.repository}${suffixOf(reference)}`
}

/** As the engine lists an image: `docker.io/library/hello` -> `hello:latest`. */
export function familiarReference(text: string): string {
  return `${familiarName(text)}${suffixOf(parseImageReference(text))}`
}

/** The same without tag and digest: `docker.io/library/hello:1` -> `hello`. */
export function familiarName(text: string): string {
  const { registry, repository } = parseImageReference(text)
  if (registry !== dockerHub) return `${registry}/${repository}`
  return repository.replace(/^library\/(?=[^/]+$)/, '')
}

/** The reference itself, with the tag that is meant if it names neither tag nor digest. */
export function withTag(text: string): string {
  const { tag, digest } = parseImageReference(text)
  return tag === undefined && digest === undefined ? `${text}:latest` : text
}

function suffixOf({ tag, digest }: ImageReference): string {
  if (tag === undefined && digest === undefined) return ':latest'
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}
