// A client of the API for scripts, with API_TOKEN.
import type { Deployment } from '../deployment/deployment.ts'
import { send, type Answer } from './http.ts'

export interface Api {
  call(method: string, path: string, body?: object): Promise<Answer>
  /** Reads one resource, which must exist. */
  read<T>(path: string): Promise<T>
}

export async function createApi(berth: Deployment): Promise<Api> {
  const place = await berth.apiPlace()
  const token = berth.settings['API_TOKEN'] ?? ''

  function call(method: string, path: string, body?: object): Promise<Answer> {
    return send({
      url: new URL(path, 'http://spawner:8082'),
      place,
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  return {
    call,
    async read(path) {
      const answer = await call('GET', path)
      if (answer.status === 200) return answer.json()
      throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
    },
  }
}
