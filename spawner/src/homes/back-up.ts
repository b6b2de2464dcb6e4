// One home after the other into the folder. One that fails does not keep the next from its backup.
import type { Home, HomeFiles, HomeUser } from '../docker/volumes/home-files.ts'
import { openNewArchive, type Written } from './archive-folder.ts'
import type { Hold } from './hold.ts'
import type { Manifest } from './manifest.ts'

export interface BackUpDeps {
  readonly files: HomeFiles
  readonly instance: string
  readonly folder: string
  readonly now: () => Date
  /** Asks the spawner to freeze the workspace, if nobody uses it. */
  readonly hold: (workspace: string, signal: AbortSignal) => Promise<Hold | undefined>
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
  const holds: Hold[] = []
  for (const { workspace } of await look()) {
    const held = workspace === undefined ? undefined : await hold(workspace, signal)
    if (held === undefined) continue
    holds.push(held)
    // Also after a failure. An end after the end changes nothing.
    stack.defer(async () => void (await held.end()))
  }
  const before = await look()
  const archive = stack.use(openNewArchive(folder, volume))
  let written: Written | undefined
  const take = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    written = await archive.fill(chunks, signal)
  }
  const { changed } = await files.read(volume, take, signal)
  if (written === undefined) throw new Error('nothing was written')
  const seen = stateOf(before, await look())
  const ends = await Promise.all(holds.map((held) => held.end()))
  const state = changed || ends.includes(false) ? 'running' : seen
  const manifest = { format: 'berth-home', version: 1, instance, ...home, takenAt, state } as const
  await archive.keep({ ...manifest, ...written })
  return { ...written, state }
}

/** Whether a workspace of ours was frozen all the time, its hold knows. */
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
