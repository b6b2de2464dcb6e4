// Writes the head of a workspace's answer as it came: status, words, and the headers that the scrub left.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface AnswerHead {
  readonly status: number
  readonly message: string | undefined
  /** Scrubbed; names and values in turn. */
  readonly headers: readonly string[]
}

const statusWords = /^[\t\x20-\x7e\x80-\xff]*$/

/** @returns whether the answer says its length */
export function writeAnswerHead(
  req: IncomingMessage,
  res: ServerResponse,
  { status, message = '', headers }: AnswerHead,
): boolean {
  const sized = has(headers, 'content-length')
  const bodiless = status === 204 || status === 304 || req.method === 'HEAD'
  // Node throws where trailers are announced and there are no chunks for them to follow.
  const noTrailers = sized || bodiless || req.httpVersionMinor === 0
  res.sendDate = false
  res.writeHead(
    status,
    statusWords.test(message) ? message : '',
    noTrailers ? without(headers, 'trailer') : [...headers],
  )
  return sized
}

/** Names and values, two by two. */
export function pairs(flat: readonly string[]): [name: string, value: string][] {
  const list: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) list.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return list
}

function has(flat: readonly string[], name: string): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    const header = flat[i] ?? ''
    if (header.length === name.length && header.toLowerCase() === name) return true
  }
  return false
}

function without(flat: readonly string[], name: string): string[] {
  if (!has(flat, name)) return [...flat]
  return pairs(flat)
    .filter(([header]) => header.toLowerCase() !== name)
    .flat()
}
