// Fetches the public keys that a forge such as GitHub shows of a person, from the forges that the administrator allows.
import { abortAfter } from '@berth/shared/deadline'
import { BerthError } from '@berth/shared/problems'

/**
 * @returns text like that of an authorized_keys file
 * @throws BerthError `bad_request` for an address that is not allowed, or that gives no keys
 */
export type FetchKeys = (address: string) => Promise<string>

const deadlineMs = 5_000
const longestAnswer = 64 * 1024

/** @param forges their origins, such as `https://github.com` */
export function createFetchKeys(forges: readonly string[]): FetchKeys {
  return async (address) => {
    const url = readAddress(address, forges)
    try {
      // A redirect could lead anywhere, also into the network of the spawner.
      const answer = await fetch(url, {
        redirect: 'error',
        signal: abortAfter(deadlineMs),
        headers: { accept: 'text/plain' },
      })
      if (answer.status === 200) return await readText(answer)
      await answer.body?.cancel()
      throw new BerthError(
        'bad_request',
        answer.status === 404
          ? `${url.host} knows nobody with this name.`
          : `${url.host} answered with the status ${answer.status}.`,
      )
    } catch (error) {
      if (error instanceof BerthError) throw error
      throw new BerthError('bad_request', `${url.host} could not be asked for keys.`, {
        cause: error,
      })
    }
  }
}

function readAddress(address: string, forges: readonly string[]): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const isAllowed =
    url !== undefined &&
    forges.includes(url.origin) &&
    /^\/[^/?#]+\.keys$/.test(url.pathname) &&
    url.search === '' &&
    url.username === ''
  if (isAllowed) return url
  const examples = forges.map((forge) => `${forge}/your-name.keys`).join(' or ')
  throw new BerthError('bad_request', `Write an address such as ${examples}.`)
}

async function readText({ body }: globalThis.Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > longestAnswer) throw new BerthError('bad_request', 'The answer is too long.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
