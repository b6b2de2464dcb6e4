// The folder with the archives of homes, and a manifest beside each. A file has its name only when it is whole.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { chown, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { archiveName, manifestName, parseManifest, type Manifest } from './manifest.ts'

export interface Written {
  readonly bytes: number
  readonly sha256: string
  readonly unpackedBytes: number
}

/** What is wrong with an archive or its manifest. */
export class ArchiveError extends Error {}

/** A tar consists of blocks: one that does not was cut. */
const block = 512
/** Only root reads what people keep in their homes, and the owner of the folder. */
const mode = 0o600
const level = { params: { [constants.ZSTD_c_checksumFlag]: 1 } }

/** The archive under another name, until `keep` gives it its own with the manifest that belongs to it. */
export interface NewArchive extends AsyncDisposable {
  fill(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Written>
  keep(manifest: Manifest): Promise<void>
}

export function openNewArchive(folder: string, volume: string): NewArchive {
  const archive = join(folder, archiveName(volume))
  const part = `${archive}.part`
  const manifestPart = join(folder, `${manifestName(volume)}.part`)

  return {
    async fill(tar, signal) {
      // A backup that was killed leaves this file.
      await rm(part, { force: true })
      const unpacked = counter()
      const packed = counter()
      await pipeline(
        Readable.from(tar, { objectMode: false }),
        unpacked.stream,
        createZstdCompress(level),
        packed.stream,
        createWriteStream(part, { mode, flush: true }),
        { signal },
      )
      if (unpacked.bytes() === 0 || unpacked.bytes() % block !== 0)
        throw new ArchiveError('the files did not arrive as a whole')
      return { bytes: packed.bytes(), sha256: packed.sha256(), unpackedBytes: unpacked.bytes() }
    },

    async keep(manifest) {
      const file = await open(manifestPart, 'w', mode)
      try {
        await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await ownedBy(folder, part, manifestPart)
      // Without its manifest, an archive is not restored: so the two never belong to different backups.
      await rm(join(folder, manifestName(volume)), { force: true })
      await rename(part, archive)
      await rename(manifestPart, join(folder, manifestName(volume)))
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([part, manifestPart].map((path) => rm(path, { force: true })))
    },
  }
}

/** The files belong to the owner of the folder, where this process may give them away. */
async function ownedBy(folder: string, ...paths: readonly string[]): Promise<void> {
  const { uid, gid } = await stat(folder)
  if (uid === process.getuid?.()) return
  for (const path of paths) await chown(path, uid, gid).catch(unlessForbidden)
}

function unlessForbidden(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error
}

export async function readManifests(folder: string): Promise<readonly Manifest[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  const manifests: Manifest[] = []
  for (const name of names) {
    const manifest = await readManifest(folder, name)
    if (name !== manifestName(manifest.volume))
      throw new ArchiveError(`${name} is the manifest of ${manifest.volume}: give it its name back`)
    manifests.push(manifest)
  }
  return manifests
}

async function readManifest(folder: string, name: string): Promise<Manifest> {
  const text = await readFile(join(folder, name), 'utf8')
  try {
    return parseManifest(text)
  } catch (error) {
    throw new ArchiveError(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * Reads the whole archive.
 *
 * @throws ArchiveError if it is not what the manifest describes
 */
export async function verifyArchive(
  folder: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const name = archiveName(manifest.volume)
  const packed = counter()
  const nothing = async (chunks: AsyncIterable<unknown>): Promise<void> => {
    for await (const chunk of chunks) void chunk
  }
  try {
    await pipeline(createReadStream(join(folder, name)), packed.stream, nothing, { signal })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new ArchiveError(`there is no ${name} beside its manifest`)
    throw error
  }
  if (packed.bytes() !== manifest.bytes)
    throw new ArchiveError(
      `${name} has ${packed.bytes()} bytes, and its manifest says ${manifest.bytes}: it was cut or changed`,
    )
  if (packed.sha256() !== manifest.sha256)
    throw new ArchiveError(`${name} was changed: its checksum is not that of its manifest`)
}

/** The tar inside. It fails at the first byte that is not as it was packed. */
export function unpackedArchive(folder: string, { volume }: Manifest): Readable {
  const file = createReadStream(join(folder, archiveName(volume)))
  const tar = createZstdDecompress()
  file.on('error', (error) => tar.destroy(error))
  tar.on('close', () => file.destroy())
  return file.pipe(tar)
}

function counter(): { stream: Transform; bytes: () => number; sha256: () => string } {
  const hash = createHash('sha256')
  let bytes = 0
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length
      hash.update(chunk)
      done(undefined, chunk)
    },
  })
  return { stream, bytes: () => bytes, sha256: () => hash.digest('hex') }
}
