// The reason why a pull failed, in words for people: the image does not exist, access is refused, no connection. Pure.
import type { Failure } from '../../policy/domain.ts'

const maxCauseLength = 500

/** The code of an error in the registry's protocol, which a message has in words or as `unauthorized: …`; then HTTP. */
const kinds: readonly [shape: RegExp, words: (image: string) => string][] = [
  [
    /may require 'docker login'|insufficient_scope/i,
    (image) => `The image ${image} does not exist, or its registry requires a sign-in for it`,
  ],
  [
    /\btoomanyrequests\b|\brate limit|\b429 Too Many Requests\b/i,
    (image) => `The registry limits the number of pulls, and refuses the image ${image} for now`,
  ],
  [
    /\bmanifest unknown\b|\bname unknown\b|\bnot found\b|\bdoes not exist\b|\bno matching manifest\b/i,
    (image) => `The registry has no image ${image}`,
  ],
  [
    /\bunauthorized\b|\bauthentication required\b|\bno basic auth\b|\bdenied\b|\b401\b|\b403\b|\bforbidden\b/i,
    (image) => `The registry refuses access to the image ${image}`,
  ],
  [
    /\bdial tcp\b|\bno such host\b|\bconnection refused\b|\bnetwork is unreachable\b|\bno route to host\b|\btimeout\b|\bdeadline exceeded\b|\bTLS handshake\b|\bx509\b|\bserver gave HTTP response\b|\bconnection reset\b|\bEOF\b/i,
    (image) => `The registry of the image ${image} cannot be reached`,
  ],
  [
    /\bno space left\b/i,
    (image) => `The disk of the engine is full, and the image ${image} needs space on it`,
  ],
]

/** @param cause the engine's message, which goes to the log */
export function pullFailure(image: string, cause: string): Failure {
  const said = withoutNames(image, cause)
  const words =
    kinds.find(([shape]) => shape.test(said))?.[1](image) ??
    `The image ${image} could not be pulled`
  return {
    code: 'image_missing',
    detail: `${words}.`,
    cause: cause.trim().slice(0, maxCauseLength),
  }
}

/** A message quotes the image and its registry, whose names may look like a reason: `timeout-lab`, `denied`, `:401`. */
function withoutNames(image: string, cause: string): string {
  const [path = ''] = image.split('@')
  const repository = path.replace(/:[^/:]*$/, '')
  const [host = '', ...rest] = repository.split('/')
  const tag = path.slice(repository.length + 1)
  const plain = cause.replace(/https?:\/\/[^\s"]+|\blookup \S+/g, ' ')
  const names = [image, path, repository, rest.join('/'), host, tag].filter((name) => name !== '')
  return names
    .sort((a, b) => b.length - a.length)
    .reduce(
      (text, name) => text.replace(new RegExp(`(?<![\\w.-])${escaped(name)}(?![\\w-])`, 'g'), ' '),
      plain,
    )
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** For a reason of our own. */
export function notPulled(image: string, why: string): Failure {
  return { code: 'image_missing', detail: `The image ${image} could not be pulled: ${why}.` }
}

/** @param why what is wrong with `REGISTRY_CONFIG`, which names files and programs: it goes to the log alone */
export function withoutCredentials(failure: Failure, why: string): Failure {
  const { cause, detail, ...rest } = failure
  const aboutConfig = `REGISTRY_CONFIG: ${why}`
  return {
    ...rest,
    detail: `${detail} The credentials for its registry could not be read.`,
    cause: cause === undefined ? aboutConfig : `${cause} (${aboutConfig})`,
  }
}

/** Images of these names are built on the engine by the administrator. */
export function isBuiltHere(image: string): boolean {
  return image.startsWith('berth/')
}

export function notBuilt(image: string): Failure {
  return {
    code: 'image_missing',
    detail: `The image ${image} has not been built on this engine. Images named berth/... are never pulled: build it.`,
  }
}
