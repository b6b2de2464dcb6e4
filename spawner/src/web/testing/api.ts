// The real API on a loopback port, over a real loop with a test engine and a test clock.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLog } from '@berth/shared/log'
import { Secret } from '@berth/shared/secret'
import type { HistoryReader } from '../../history/history.ts'
import { startTestLoop } from '../../loop/testing/test-loop.ts'
import { createHexOf } from '../docker-spawner/container-hex.ts'
import { createApi } from '../api/create-api.ts'

export const tokenText = 'a token of the tests'
export const hexOf = createHexOf(new Secret('the internal secret of the tests'))

export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export async function startApi(
  options: Parameters<typeof startTestLoop>[0] & {
    readonly withUsers?: boolean
    readonly waitMs?: number
    readonly kept?: HistoryReader
    readonly log?: ReturnType<typeof createLog>
  } = {},
) {
  const loop = await startTestLoop(options)
  const {
    withUsers = true,
    waitMs,
    log = createLog({ service: 'test', level: 'silent' }),
  } = options
  const { workspaces, time } = loop
  const app = createApi({
    workspaces,
    hexOf,
    clock: time.clock,
    withUsers,
    history: options.kept,
    hostKeys: { forget: () => false },
    token: new Secret(tokenText),
    problemBase: 'https://portal.example',
    version: '1.2.3',
    log,
    ...(waitMs === undefined ? {} : { waitMs }),
  })
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function ask(path: string, init: RequestInit = {}): Promise<ApiAnswer> {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${tokenText}`)
    const response = await fetch(url + path, { ...init, headers, redirect: 'manual' })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  return {
    ...loop,
    url,
    ask,
    /** Requests a seat as a director does for a person. */
    seat: loop.requestSeat,
    /** Posts a form as `curl --data` does. */
    form: (path: string, fields: Record<string, string>) =>
      ask(path, { method: 'POST', body: new URLSearchParams(fields) }),
    json: (method: string, path: string, body?: unknown) =>
      ask(path, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await loop[Symbol.asyncDispose]()
    },
  }
}
