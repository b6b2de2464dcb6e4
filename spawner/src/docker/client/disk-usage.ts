// What things take on the engine's disk. The engine computes it for each call, so it may take long.
import type Docker from 'dockerode'
import type { EngineClient } from './engine-client.ts'

/** The caller has a deadline of its own. */
const deadlineMs = 3_600_000

/** dockerode's own method asks for the sizes of everything. */
export function diskUsage(
  { docker, call }: EngineClient,
  type: 'image' | 'volume',
  signal: AbortSignal,
): Promise<unknown> {
  return call('disk-usage', { signal, deadlineMs }, (abortSignal) =>
    dial(docker, { path: '/system/df?', options: { type }, abortSignal }),
  )
}

function dial(
  docker: Docker,
  options: { readonly path: string; readonly options: object; readonly abortSignal: AbortSignal },
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  docker.modem.dial(
    { method: 'GET', statusCodes: { 200: true, 500: 'server error' }, ...options },
    (error: Error | null, data: unknown) => (error === null ? resolve(data) : reject(error)),
  )
  return promise
}
