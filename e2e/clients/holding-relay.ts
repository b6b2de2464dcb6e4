// A relay in front of the gateway that holds event streams back, as some proxies do, and as a connection does that is half
// open after a sleep.
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Site } from './sign-in.ts'

export interface HoldingRelay extends AsyncDisposable {
  readonly origin: string
  /** How many streams were opened through it. */
  readonly streams: () => number
}

/** @param lets `nothing`: only the head of a stream arrives. `first`: the first event arrives, and nothing after it */
export async function holdStreams(site: Site, lets: 'nothing' | 'first'): Promise<HoldingRelay> {
  const url = new URL(site.origin)
  const place = site.placeOf(url)
  let streams = 0
  const server = createServer((req, res) => {
    const isStream = req.url?.includes('/.berth/events') === true
    const forwarded = httpRequest(
      { ...place, method: req.method, path: req.url, headers: { ...req.headers, host: url.host } },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        if (!isStream) {
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
    streams: () => streams,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
