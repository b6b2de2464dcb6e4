// The id of a request, by which its lines in the logs of all services are found.
import { randomUUID } from 'node:crypto'

/** Lower case, as all comparisons of header names are. */
export const requestIdHeader = 'x-request-id'

/** What proxies make: UUIDs, hexadecimal digits, and the alphabets of Apache and of Base64. It is written to logs as it is. */
const shape = /^[\w.~@:+/=-]{1,128}$/

/** @returns the id if exactly one was sent, and it has the form of one */
export function parseRequestId(values: readonly string[]): string | undefined {
  const [value = '', ...others] = values
  return others.length === 0 && shape.test(value) ? value : undefined
}

export const newRequestId = (): string => randomUUID()
