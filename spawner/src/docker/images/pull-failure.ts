// The reason why a pull failed, in words for people: the image does not exist, access is refused, no connection. Pure.
import type { Failure } from '../../policy/domain.ts'

const maxCauseLength = 500

const kinds: readonly [shape: RegExp, words: (image: string) => string][] = [
  [
    /dial tcp|no such host|connection refused|network is unreachable|no route to host|i\/o timeout|timeout|deadline exceeded|TLS handshake|x509|certificate|server gave HTTP response|connection reset|\bEOF\b/i,
    (image) => `The registry of the image ${image} cannot be reached`,
  ],
  [
    /may require 'docker login'|insufficient_scope/i,
    (image) => `The image ${image} does not exist, or its registry requires a sign-in for it`,
  ],
  [
    /unauthorized|authentication required|no basic auth|denied|forbidden|401|403/i,
    (image) => `The registry refuses access to the image ${image}`,
  ],
  [
    /manifest unknown|not found|does not exist|name unknown|no matching manifest|404/i,
    (image) => `The registry has no image ${image}`,
  ],
  [
    /toomanyrequests|rate limit/i,
    (image) => `The registry limits the number of pulls, and refuses the image ${image} for now`,
  ],
  [
    /no space left/i,
    (image) => `The disk of the engine is full, and the image ${image} needs space on it`,
  ],
]

/** @param cause the engine's message, which goes to the log */
export function pullFailure(image: string, cause: string): Failure {
  const words =
    kinds.find(([shape]) => shape.test(cause))?.[1](image) ??
    `The image ${image} could not be pulled`
  return {
    code: 'image_missing',
    detail: `${words}.`,
    cause: cause.trim().slice(0, maxCauseLength),
  }
}

/** For a reason of our own. */
export function notPulled(image: string, why: string): Failure {
  return { code: 'image_missing', detail: `The image ${image} could not be pulled: ${why}.` }
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
