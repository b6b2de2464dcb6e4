// A secret that cannot be printed by accident, and its comparison in constant time.
import { createHash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/** Prints as `***` in logs, JSON and templates. Only `reveal()` returns its text. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  /** Compares in a time that depends on neither text. */
  matches(candidate: string): boolean {
    return timingSafeEqual(digest(this.#text), digest(candidate))
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [inspect.custom](): string {
    return '***'
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
