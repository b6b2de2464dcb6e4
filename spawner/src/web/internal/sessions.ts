// Sessions in containers: an upgraded connection of a director, on one side, and the engine on the other. When the director
// leaves, or its client does, everything in the session ends.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { internalPaths, sessionOrderSchema, sessionProtocol } from '@berth/shared/contract'
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'
import { createProblem, type ProblemCode } from '@berth/shared/problems'
import { decodeSize, encodeNumber, frameTypes, sessionSignals } from '@berth/shared/session-frames'
import { createSessionLink, type SessionLink } from '@berth/shared/session-link'
import type { EngineSession } from '../../loop/engine.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import { provesDirector } from '../http/bearer.ts'
import { plainText } from '../http/plain-text.ts'
import type { WebSettings } from '../http/settings.ts'
import { createSessionChanges, type SessionChanges } from './session-changes.ts'

/** Serves one upgrade. It never throws. */
export type ServeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface Sessions extends AsyncDisposable {
  readonly serve: ServeUpgrade
}

/** What a director may take to send its order. */
const orderMs = 10_000
const openMs = 20_000
/** What the ends of all sessions may take when the spawner ends. */
const endMs = 8_000

/** The exit code if the engine does not tell it. */
const unknownCode = 255
/** Whatever happens, what a session leaves behind is ended. */
const { signal: never } = new AbortController()

export function createSessions(deps: {
  readonly workspaces: Pick<Workspaces, 'openSession'>
  readonly settings: Pick<WebSettings, 'internalSecret' | 'problemBase'>
  readonly log: Log
}): Sessions {
  const { workspaces, settings, log } = deps
  const closing = new AbortController()
  /** Each resolves when nothing of its session is left. */
  const open = new Set<Promise<void>>()

  async function serveSession(socket: Duplex, head: Buffer): Promise<void> {
    const ordered = Promise.withResolvers<Buffer>()
    const gone = new AbortController()
    let session: EngineSession | undefined
    let changes: SessionChanges | undefined

    const link = createSessionLink(socket, head, {
      async data(_type, bytes) {
        await session?.write(bytes)
      },
      control(type, payload) {
        if (type === frameTypes.order) ordered.resolve(payload)
        if (type === frameTypes.inputEnd) session?.endInput()
        const size = type === frameTypes.resize ? decodeSize(payload) : undefined
        if (size !== undefined) changes?.resize(size)
        if (type === frameTypes.signal) pass(payload.toString('latin1'))
      },
      closed: () => undefined,
    })
    const pass = (name: string): void => {
      const known = sessionSignals.find((each) => each === name)
      if (known !== undefined) changes?.signal(known)
    }
    socket.once('close', () => gone.abort())
    const leave = (): void => link.destroy()
    closing.signal.addEventListener('abort', leave, { once: true })
    try {
      const order = await untilAborted(
        ordered.promise,
        AbortSignal.any([gone.signal, abortAfter(orderMs)]),
      )
      session = order && (await openFor(order, link, gone.signal))
      if (session === undefined) return
      changes = createSessionChanges(session, gone.signal, log)
      link.send(frameTypes.opened)
      // A silent session would not notice that the director has left.
      const isWhole = await untilAborted(passOutput(session, link), gone.signal)
      if (isWhole !== true) return await session.hangUp(never)
      const code = await session.exitCode(gone.signal)
      link.send(frameTypes.exit, encodeNumber(code ?? unknownCode))
    } finally {
      closing.signal.removeEventListener('abort', leave)
      link.end()
    }
  }

  async function openFor(
    order: Buffer,
    link: SessionLink,
    gone: AbortSignal,
  ): Promise<EngineSession | undefined> {
    const refuse = (code: ProblemCode, detail: string): undefined => {
      const problem = createProblem(settings.problemBase, code, plainText(detail, 1_000))
      link.send(frameTypes.refused, Buffer.from(JSON.stringify(problem)))
    }
    const asked = sessionOrderSchema.safeParse(parseJson(order))
    if (!asked.success) return refuse('bad_request', 'The order of the session is malformed.')
    // Opening goes on if the director leaves meanwhile: only then is it known what to end.
    const opened = await workspaces.openSession(asked.data, abortAfter(openMs))
    const { user, workspace } = asked.data
    if (!opened.ok) {
      const { code, detail, cause } = opened.failure
      log.info({ user, workspace, code, cause }, 'session refused')
      return refuse(code, detail)
    }
    if (!gone.aborted) return opened.value
    await opened.value.hangUp(never)
    return undefined
  }

  return {
    serve(request, socket, head) {
      socket.on('error', () => socket.destroy())
      const refusal = refusalOf(request, settings)
      if (refusal !== undefined || closing.signal.aborted) {
        socket.end(`HTTP/1.1 ${refusal ?? '503 Service Unavailable'}\r\nconnection: close\r\n\r\n`)
        return
      }
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${sessionProtocol}\r\n\r\n`,
      )
      const served: Promise<void> = serveSession(socket, head)
        .catch((error: unknown) => {
          log.error({ error }, 'session failed')
          socket.destroy()
        })
        .finally(() => open.delete(served))
      open.add(served)
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await Promise.race([
        Promise.all(open),
        new Promise((resolve) => setTimeout(resolve, endMs).unref()),
      ])
    },
  }
}

/** @returns whether the director was there to the end */
async function passOutput(session: EngineSession, link: SessionLink): Promise<boolean> {
  for await (const { kind, bytes } of session.output)
    if (!(await link.write(frameTypes[kind], bytes))) return false
  return true
}

function refusalOf(
  { headers, url, method }: IncomingMessage,
  settings: Pick<WebSettings, 'internalSecret'>,
): string | undefined {
  if (!provesDirector(headers.authorization, settings)) return '401 Unauthorized'
  if (url !== internalPaths.sessions || method !== 'GET') return '404 Not Found'
  return headers.upgrade === sessionProtocol ? undefined : '400 Bad Request'
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined
  const aborted = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  )
  return Promise.race([work, aborted])
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
