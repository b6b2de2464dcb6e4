// The engine of this machine as if it were another one: a socket that changes what the engine says of itself, and what it is
// asked to make. Everything else passes as it is.
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { takenDownAtTheEnd } from '../run/interruption.ts'

type Json = Record<string, unknown>

export interface Alterations {
  /** By the end of the path, such as `/info`. */
  readonly answers: Readonly<Record<string, (told: Json) => Json>>
  /** The body with which a container is made. */
  readonly creates: (body: Json) => Json
}

export async function openAlteredEngine(
  socketPath: string,
  engineSocket: string,
  { answers, creates }: Alterations,
): Promise<AsyncDisposable> {
  async function pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = asked
    const path = url.replace(/\?.*/, '')
    const body = path.endsWith('/containers/create')
      ? JSON.stringify(creates(JSON.parse(await text(asked)) as Json))
      : undefined
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const call = request({
      socketPath: engineSocket,
      method,
      path: url,
      headers: { ...headers, ...length },
    })
    answer.on('close', () => call.destroy())
    call.on('error', () => answer.destroy())
    if (body === undefined) asked.pipe(call)
    else call.end(body)
    const [given] = (await once(call, 'response')) as [IncomingMessage]
    const alter = Object.entries(answers).find(([end]) => path.endsWith(end))?.[1]
    if (alter === undefined) {
      answer.writeHead(given.statusCode ?? 500, given.headers)
      answer.flushHeaders()
      given.pipe(answer)
      return
    }
    const altered = JSON.stringify(alter(JSON.parse(await text(given)) as Json))
    answer.writeHead(given.statusCode ?? 500, { 'content-type': 'application/json' })
    answer.end(altered)
  }

  const server = createServer((asked, answer) => {
    pass(asked, answer).catch(() => answer.destroy())
  })
  // What a container is told and tells: bytes in both directions.
  server.on('upgrade', (asked: IncomingMessage, client: Socket) => {
    const engine = connect(engineSocket)
    const lines = asked.rawHeaders.flatMap((name, at, all) =>
      at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [],
    )
    engine.write([`${asked.method} ${asked.url} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
    engine.pipe(client).pipe(engine)
    client.on('error', () => engine.destroy())
    engine.on('error', () => client.destroy())
  })
  await once(server.listen(socketPath), 'listening')
  return {
    [Symbol.asyncDispose]: takenDownAtTheEnd(async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }),
  }
}
