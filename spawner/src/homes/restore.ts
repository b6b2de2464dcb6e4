// One home out of the folder: nothing is touched before the whole archive was read and found to be as it was written.
import type { Home, HomeFiles } from '../docker/volumes/home-files.ts'
import { ArchiveError, unpackedArchive, verifyArchive } from './archive-folder.ts'
import { targetOf, type Manifest } from './manifest.ts'

export interface RestoreDeps {
  readonly files: HomeFiles
  readonly instance: string
  readonly folder: string
}

export interface RestoreWish {
  readonly replace: boolean
  /** Instead of the name that the template gives. */
  readonly into: string | undefined
  /** Instead of the subject that the person had. */
  readonly subject: string | undefined
}

export async function restore(
  { files, instance, folder }: RestoreDeps,
  manifest: Manifest,
  { replace, into, subject = manifest.subject }: RestoreWish,
  signal: AbortSignal,
): Promise<Home> {
  const volume = into ?? targetOf(manifest, instance)
  const { user } = manifest
  const home: Home = {
    volume,
    ...(user === undefined ? {} : { user }),
    ...(subject === undefined ? {} : { subject }),
  }
  await refuse(files, home, replace, signal)
  await verifyArchive(folder, manifest, signal)
  // Again: a person may have come meanwhile.
  await refuse(files, home, replace, signal)
  await files.write(home, unpackedArchive(folder, manifest), signal)
  return home
}

async function refuse(
  files: HomeFiles,
  { volume, user, subject }: Home,
  replace: boolean,
  signal: AbortSignal,
): Promise<void> {
  const [other] = (await files.list(signal)).filter(
    (home) => user !== undefined && home.user === user && home.subject !== subject,
  )
  if (other !== undefined)
    throw new ArchiveError(
      `${user} has the volume ${other.volume} with another subject: name that one by --subject if it is the same person`,
    )
  if (!(await files.exists(volume, signal))) return
  const [used] = await files.usersOf(volume, signal)
  if (used !== undefined)
    throw new ArchiveError(
      `the volume ${volume} is used by the container ${used.container}: stop it first (POST /api/v1/workspaces/<name>/stop, or its page /.berth/)`,
    )
  if (!replace)
    throw new ArchiveError(
      `the volume ${volume} exists already: with --replace its files are replaced by those of the backup`,
    )
}
