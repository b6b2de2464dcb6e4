// A secret that cannot be printed by accident, and its comparison in constant time.
import { timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/** Prints as `***` in logs, JSON and templates. Only `reveal()` returns its text. */
export class Secret {
  readonly #text: string
  readonly #bytes: Buffer

  constructor(text: string) {
    this.#text = text
    this.#bytes = Buffer.from(text)
  }

  reveal(): string {
    return this.#text
  }

  /** Compares in a time that depends on no character of the two texts, only on their lengths. */
  matches(candidate: string): boolean {
    const given = Buffer.from(candidate)
    return given.length === this.#bytes.length && timingSafeEqual(given, this.#bytes)
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
