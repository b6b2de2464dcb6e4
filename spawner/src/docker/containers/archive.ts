// A container's files through the engine's archive calls: reads and writes small files, and the owner of a folder.
import type { Readable } from 'node:stream'
import { extract, pack, type Header } from 'tar-stream'
import { plainMountPath } from '../../templates/volume-list.ts'
import { unlessGone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

export interface Archive {
  /** Up to 1 MiB of a file; empty if there is no such file. */
  readText(container: string, path: string, signal: AbortSignal): Promise<string>
  /** Follows every link in a path, in the container. A path that does not exist is returned as it is. The engine's
   * archive calls act on a link itself, not on its target. */
  resolve(container: string, path: string, signal: AbortSignal): Promise<string>
  /** `undefined` if there is no such folder. */
  ownerOf(container: string, path: string, signal: AbortSignal): Promise<Owner | undefined>
  /** Creates a folder, or changes its owner. The contents stay as they are. */
  setOwner(container: string, path: string, owner: Owner, signal: AbortSignal): Promise<void>
  /** Writes a file, and creates the folders on its path that are missing. */
  putFile(
    container: string,
    path: string,
    bytes: Buffer,
    owner: Owner,
    signal: AbortSignal,
  ): Promise<void>
}

const maxFileBytes = 1024 * 1024

export function createArchive({ docker, call }: EngineClient): Archive {
  /** The first entry of the archive of `path`, with up to `limit` of its bytes; the rest is not read. */
  async function first(
    id: string,
    path: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<{ header: Header; bytes: Buffer } | undefined> {
    return unlessGone(
      call('container-archive-get', { signal }, async (abortSignal) => {
        const container = docker.getContainer(id)
        const stream = (await container.getArchive({ path, abortSignal })) as Readable
        const untar = extract()
        stream.on('error', (error) => untar.destroy(error))
        untar.on('error', () => stream.destroy())
        stream.pipe(untar)
        try {
          for await (const entry of untar) {
            const bytes = await take(entry as AsyncIterable<Uint8Array>, limit)
            return { header: entry.header, bytes }
          }
          return undefined
        } finally {
          stream.destroy()
        }
      }),
    )
  }

  return {
    resolve,

    async readText(container, path, signal) {
      const entry = await first(container, path, maxFileBytes, signal)
      return entry?.header.type === 'file' ? entry.bytes.toString('utf8') : ''
    },

    async ownerOf(container, path, signal) {
      const entry = await first(container, path, 0, signal)
      if (entry?.header.type !== 'directory') return undefined
      const { uid = 0, gid = 0, mode = 0o755 } = entry.header
      const pax = entry.header.pax as Readonly<Record<string, string>> | null | undefined
      return { uid: Number(pax?.['uid'] ?? uid), gid: Number(pax?.['gid'] ?? gid), mode }
    },

    setOwner,

    async putFile(id, path, bytes, owner, signal) {
      const [parent, name] = split(path)
      const folder = await madeFolder(id, parent, signal)
      await put(id, folder, { name, size: bytes.length, ...owner }, bytes, signal)
    },
  }

  async function resolve(id: string, path: string, signal: AbortSignal): Promise<string> {
    // With a slash at its end, a link is its target for the engine, which then names no target.
    const plain = plainMountPath(path)
    if (plain === '') return '/'
    const stat: unknown = await unlessGone(
      call(
        'container-archive-info',
        { signal },
        (abortSignal) =>
          docker.getContainer(id).infoArchive({ path: plain, abortSignal }) as Promise<unknown>,
      ),
    )
    return stat === undefined ? plain : linkTargetOf(stat) || plain
  }

  async function setOwner(
    id: string,
    path: string,
    owner: Owner,
    signal: AbortSignal,
  ): Promise<void> {
    const [parent, name] = split(path)
    await put(id, parent, { name: `${name}/`, type: 'directory', ...owner }, undefined, signal)
  }

  /** Creates what is missing of a folder, where its links lead. @returns its path without links */
  async function madeFolder(id: string, path: string, signal: AbortSignal): Promise<string> {
    const real = await resolve(id, path, signal)
    if (real === '/') return real
    if ((await first(id, real, 0, signal)) !== undefined) return real
    const [parent, name] = split(real)
    const folder = await madeFolder(id, parent, signal)
    const made = `${folder === '/' ? '' : folder}/${name}`
    await setOwner(id, made, { uid: 0, gid: 0, mode: 0o755 }, signal)
    return made
  }

  async function put(
    id: string,
    folder: string,
    header: Headers,
    bytes: Buffer | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const tar = pack()
    // A tar header has room for ids of up to six octal digits, and tar-stream silently writes the largest of these
    // for a greater id. A PAX header has room for any.
    const pax = { uid: String(header.uid), gid: String(header.gid) }
    const entry = { ...header, mtime: new Date(), pax }
    if (bytes === undefined) tar.entry(entry)
    else tar.entry(entry, bytes)
    tar.finalize()
    const chunks: Uint8Array[] = []
    for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk)
    await call('container-archive-put', { signal }, (abortSignal) =>
      docker.getContainer(id).putArchive(Buffer.concat(chunks), { path: folder, abortSignal }),
    )
  }
}

type Headers = Owner & Pick<Header, 'name'> & Partial<Pick<Header, 'type' | 'size'>>

/** @returns the link's target as the engine tells it (`X-Docker-Container-Path-Stat`); empty if the path is no link */
function linkTargetOf(stat: unknown): string {
  const headers = (stat as { headers?: Record<string, unknown> }).headers
  const encoded = headers?.['x-docker-container-path-stat']
  if (typeof encoded !== 'string') return ''
  const { linkTarget } = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as {
    linkTarget?: unknown
  }
  return typeof linkTarget === 'string' ? linkTarget : ''
}

/** @returns the parent folder and the last part of a path */
function split(path: string): [folder: string, name: string] {
  const parent = path.replace(/\/+[^/]+\/*$/, '') || '/'
  const name = path.slice(parent === '/' ? 1 : parent.length + 1).replace(/\/+$/, '')
  return [parent, name]
}

async function take(entry: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  if (limit > 0)
    for await (const chunk of entry) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= limit) break
    }
  return Buffer.concat(chunks).subarray(0, limit)
}
