// Asks for addresses from where the gateway is: in a director that runs, or else in a process of this container.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { Asked } from '../../doctor/facts.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { execText } from '../containers/exec-text.ts'

/** The director has the same certificates of authorities as its requests to the provider. */
const script = `
const ask = async (url) => {
  const sentAt = Date.now()
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(8_000) })
    const receivedAt = Date.now()
    const { issuer } = await answer.json().catch(() => ({})) ?? {}
    const date = answer.headers.get('date') ?? undefined
    return { url, sentAt, receivedAt, status: answer.status, date, issuer: typeof issuer === 'string' ? issuer : undefined }
  } catch (error) {
    const { code = '', message } = error.cause ?? error
    return { url, sentAt, receivedAt: Date.now(), error: { code: String(code), message: String(message) } }
  }
}
Promise.all(process.argv.slice(1).map(ask)).then((all) => { console.log(JSON.stringify(all)); process.exit() })`

const answersSchema = z.array(
  z.object({
    url: z.string(),
    status: z.number().optional(),
    date: z.string().optional(),
    issuer: z.string().optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
    sentAt: z.number(),
    receivedAt: z.number(),
  }),
)

const withinMs = 15_000

/** @param director the id of a director that runs */
export async function askUrls(
  client: EngineClient,
  director: string | undefined,
  urls: readonly string[],
  signal: AbortSignal,
): Promise<Asked> {
  const args = ['-e', script, ...urls]
  const inDirector = director !== undefined
  const text = inDirector
    ? await execText(client, director, ['node', ...args], { signal, deadlineMs: withinMs })
    : (await promisify(execFile)(process.execPath, args, { signal, timeout: withinMs })).stdout
  return {
    from: inDirector ? 'director' : 'spawner',
    answers: answersSchema.parse(JSON.parse(text)),
  }
}
