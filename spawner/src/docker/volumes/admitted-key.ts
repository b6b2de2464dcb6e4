// The public key of the directors, which the SSH server of a workspace reads. It is in the volume with the tools: root owns
// the file and every folder above it, as sshd wants it (StrictModes), and nobody in a workspace can change it.
import type { Generation } from '../../policy/domain.ts'
import type { Engine } from '../../loop/engine.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { done, resultOf } from '../client/engine-result.ts'
import type { Archive } from '../containers/archive.ts'
import { openShortContainer } from '../containers/short-run.ts'
import { toolsFolder, toolsVolume } from './tools-volume.ts'

/** For `AuthorizedKeysFile` in the configuration of sshd. */
const file = `${toolsFolder}/ssh/authorized_keys`
const role = 'tools'

export function createAdmitKey(
  deps: EngineClient & { readonly instance: string; readonly archive: Archive },
): Engine['admitKey'] {
  const { docker, call, instance, archive } = deps
  /** What is in the volume. */
  let written: { readonly key: string; readonly done: Promise<void> } | undefined

  async function write(generation: Generation, key: string, signal: AbortSignal): Promise<void> {
    const text = `ssh-ed25519 ${key} berth\n`
    // A server that reads the file meanwhile would not find it.
    if ((await archive.readText(generation, file, signal)) === text) return
    const { Image: image } = await call('container-inspect', { signal }, (abortSignal) =>
      docker.getContainer(generation).inspect({ abortSignal }),
    )
    const mount = { Type: 'volume', Source: toolsVolume(instance), Target: toolsFolder } as const
    await using container = await openShortContainer(
      deps,
      { role, image, command: ['/none'], host: { NetworkMode: 'none', Mounts: [mount] } },
      signal,
    )
    const owner = { uid: 0, gid: 0, mode: 0o644 }
    await archive.putFile(container.docker.id, file, Buffer.from(text), owner, signal)
  }

  return (generation, key, signal) =>
    resultOf('conflict', 'The SSH server cannot be told who signs in', async () => {
      if (written?.key !== key) {
        const fresh = { key, done: write(generation, key, signal) }
        written = fresh
        fresh.done.catch(() => {
          if (written === fresh) written = undefined
        })
      }
      await written.done
      return done(undefined)
    })
}
