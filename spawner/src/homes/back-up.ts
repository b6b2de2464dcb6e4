// One home after the other into the folder. One that fails does not keep the next from its backup.
import type { Home, HomeFiles, HomeUser } from '../docker/volumes/home-files.ts'
import { openNewArchive, type Written } from './archive-folder.ts'
import type { Manifest } from './manifest.ts'

export interface BackUpDeps {
  readonly files: HomeFiles
  readonly instance: string
  readonly folder: string
  readonly now: () => Date
  /** Asks the spawner to freeze the workspace. @returns what ends that; `undefined` if it cannot be frozen now */
  readonly hold: (
    workspace: string,
    signal: AbortSignal,
  ) => Promise<(AsyncDisposable & { readonly held: true }) | undefined>
}

export interface BackedUp extends Written {
  readonly state: Manifest['state']
}

export async function backUp(
  { files, instance, folder, now, hold }: BackUpDeps,
  home: Home,
  signal: AbortSignal,
): Promise<BackedUp> {
  const { volume } = home
  const look = () => files.usersOf(volume, signal)
  const takenAt = now().toISOString()
  await using stack = new AsyncDisposableStack()
  for (const { workspace, isFrozen } of await look())
    if (workspace !== undefined && !isFrozen) {
      const held = await hold(workspace, signal)
      if (held !== undefined) stack.use(held)
    }
  const before = await look()
  const archive = stack.use(openNewArchive(folder, volume))
  let written: Written | undefined
  const take = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    written = await archive.fill(chunks, signal)
  }
  const { changed } = await files.read(volume, take, signal)
  if (written === undefined) throw new Error('nothing was written')
  const state = changed ? 'running' : stateOf(before, await look())
  await archive.keep({
    format: 'berth-home',
    version: 1,
    instance,
    ...home,
    takenAt,
    state,
    ...written,
  })
  return { ...written, state }
}

/** A container that was frozen before and after may have run in between only if a person asked for it. */
export function stateOf(
  before: readonly HomeUser[],
  after: readonly HomeUser[],
): Manifest['state'] {
  const all = [...before, ...after]
  if (all.length === 0) return 'unused'
  return all.every(({ isFrozen }) => isFrozen) && before.length === after.length
    ? 'frozen'
    : 'running'
}
