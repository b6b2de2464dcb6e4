// One request for the routes: its raw target, split but never normalised, and ways to answer.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The rest of the target after the route's own path, unchanged (`/a//b%2F` of `/echo/a//b%2F`). */
  readonly rest: string
  readonly query: URLSearchParams
}

export type Route = (exchange: Exchange) => void | Promise<void>

export function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?')
  if (mark === -1) return { path: target, query: new URLSearchParams() }
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) }
}

/** @returns the fallback when the parameter is missing, `NaN` never */
export function numberOf(query: URLSearchParams, name: string, fallback: number): number {
  const given = query.get(name)
  const value = given === null || given === '' ? fallback : Number(given)
  return Number.isFinite(value) ? value : fallback
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = `${JSON.stringify(value, null, 2)}\n`
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

/** Writes with backpressure. @returns false when the client is gone */
export async function writeTo(response: ServerResponse, chunk: Buffer | string): Promise<boolean> {
  if (response.destroyed) return false
  if (response.write(chunk)) return true
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
  return !response.destroyed
}

/** Waits, but not longer than the client stays. @returns false when the client is gone */
export async function waitMs(response: ServerResponse, ms: number): Promise<boolean> {
  if (response.destroyed) return false
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    response.on('close', done)
  })
  return !response.destroyed
}
