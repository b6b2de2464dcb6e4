// /files/<name>: files in the home, to test that they outlive the container.
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sendJson, sendText, type Exchange } from './exchange.ts'

/** @returns `undefined` unless it is a plain name in the folder itself */
function fileName(rest: string): string | undefined {
  let name: string
  try {
    name = decodeURIComponent(rest.slice(1))
  } catch {
    // Invalid percent-encoding is no name either.
    return undefined
  }
  return name === '' || name === '.' || name === '..' || /[/\0]/.test(name) ? undefined : name
}

export function createFiles(home: string): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const { request, response, rest } = exchange
    if (rest === '' || rest === '/') return sendJson(response, 200, (await readdir(home)).sort())
    const name = fileName(rest)
    if (name === undefined) return sendText(response, 400, 'a plain file name, please\n')
    const path = join(home, name)
    if (request.method === 'PUT') return save(exchange, path)
    if (request.method === 'DELETE') {
      await rm(path, { force: true })
      response.writeHead(204).end()
      return
    }
    return load(exchange, path)
  }
}

async function save({ request, response }: Exchange, path: string): Promise<void> {
  await pipeline(request, createWriteStream(path))
  sendJson(response, 201, { bytes: (await stat(path)).size })
}

async function load({ response }: Exchange, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || !found.isFile()) return sendText(response, 404, 'no such file\n')
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': found.size,
  })
  await pipeline(createReadStream(path), response)
}
