// A relay in front of the gateway that holds answers back: event streams, as some proxies do, and as a connection does that
// is half open after a sleep; or whatever a test names.
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Site } from './sign-in.ts'

interface Relay extends AsyncDisposable {
  readonly origin: string
}

export interface HoldingRelay extends Relay {
  /** How many streams were opened through it. */
  readonly streams: () => number
}

/** @param lets `nothing`: only the head of a stream arrives. `first`: the first event arrives, and nothing after it */
export async function holdStreams(site: Site, lets: 'nothing' | 'first'): Promise<HoldingRelay> {
  let streams = 0
  const relay = await relayTo(site, (path, answer, res) => {
    if (!path.includes('/.berth/events')) {
      answer.pipe(res)
      return
    }
    streams += 1
    res.flushHeaders()
    let text = ''
    answer.on('data', (chunk: Buffer) => {
      const isFirst = !text.includes('event: phase')
      text += chunk.toString()
      if (lets === 'first' && isFirst) res.write(chunk)
    })
  })
  return { ...relay, streams: () => streams }
}

export interface AnswerRelay extends Relay {
  /** Resolves when the answer to that many such requests are held. */
  readonly held: (count: number) => Promise<void>
  readonly letGo: () => void
}

/** Holds the bodies of answers back until `letGo`. */
export async function holdAnswers(
  site: Site,
  isHeld: (path: string) => boolean,
): Promise<AnswerRelay> {
  const waiting = new Set<() => void>()
  const gone = Promise.withResolvers<void>()
  let held = 0
  const relay = await relayTo(site, async (path, answer, res) => {
    if (isHeld(path)) {
      held += 1
      for (const look of waiting) look()
      await gone.promise
    }
    answer.pipe(res)
  })
  return {
    ...relay,
    async held(count) {
      const enough = Promise.withResolvers<void>()
      const look = (): void => {
        if (held >= count) enough.resolve()
      }
      waiting.add(look)
      look()
      await enough.promise
    },
    letGo: gone.resolve,
  }
}

async function relayTo(
  site: Site,
  pass: (path: string, answer: IncomingMessage, res: ServerResponse) => unknown,
): Promise<Relay> {
  const url = new URL(site.origin)
  const place = site.placeOf(url)
  const server = createServer((req, res) => {
    const forwarded = httpRequest(
      { ...place, method: req.method, path: req.url, headers: { ...req.headers, host: url.host } },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        pass(req.url ?? '', answer, res)
      },
    )
    forwarded.on('error', () => res.destroy())
    res.on('close', () => forwarded.destroy())
    req.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
