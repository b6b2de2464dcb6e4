// The volume with the tools that sessions need, mounted read-only where a template is reached by SSH: images need no shell,
// no sftp-server and no scp. Its files come from an archive in the spawner's image, once in the life of the process.
import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { labels } from '@berth/shared/labels'
import { BerthError } from '@berth/shared/problems'
import type { EngineClient } from '../client/engine-client.ts'
import { openShortContainer } from '../containers/short-run.ts'

/** Where the volume is in a workspace. The programs in it are built for this path. */
export const toolsFolder = '/.berth'

export const toolsVolume = (instance: string): string => `${instance}-tools`

/** @param image any that the engine has: the engine writes into volumes of containers only. Nothing of it runs. */
export type EnsureTools = (image: string, signal: AbortSignal) => Promise<void>

const role = 'tools'
const writeMs = 120_000

export function createEnsureTools(
  deps: EngineClient & { readonly instance: string; readonly toolsArchive: string },
): EnsureTools {
  const { docker, call, instance, toolsArchive } = deps
  const name = toolsVolume(instance)
  let written: Promise<void> | undefined

  async function write(image: string, signal: AbortSignal): Promise<void> {
    await access(toolsArchive).catch((cause: unknown) => {
      const detail = `The tools for sessions are not at ${toolsArchive} in the spawner.`
      throw new BerthError('start_failed', detail, { cause })
    })
    const Labels = { [labels.instance]: instance, [labels.role]: role }
    await call('volume-create', { signal }, (abortSignal) =>
      docker.createVolume({
        Name: name,
        ...{ _query: {}, _body: { Name: name, Driver: 'local', Labels } },
        abortSignal,
      }),
    )
    const { Labels: carried } = await call('volume-inspect', { signal }, () =>
      docker.getVolume(name).inspect(),
    )
    if (carried[labels.instance] !== instance || carried[labels.role] !== role)
      throw new BerthError('name_taken', `The volume ${name} does not belong to this instance.`)
    const mount = { Type: 'volume', Source: name, Target: toolsFolder } as const
    await using container = await openShortContainer(
      deps,
      { role, image, command: ['/none'], host: { NetworkMode: 'none', Mounts: [mount] } },
      signal,
    )
    await call('container-archive-put', { signal, deadlineMs: writeMs }, (abortSignal) =>
      container.docker.putArchive(createReadStream(toolsArchive), {
        path: toolsFolder,
        abortSignal,
      }),
    )
  }

  return (image, signal) => {
    written ??= write(image, signal).catch((error: unknown) => {
      written = undefined
      throw error
    })
    return written
  }
}
