// Everything that a volume has, for comparing two: each name with kind, mode, owner, times, links, bytes and attributes. It
// reads the folder of the engine on this machine, and not through the programs that Berth copies with.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { run } from '../run/command.ts'

/** @returns the folder of the engine with the files of the volume */
export async function folderOf(volume: string): Promise<string> {
  const format = ['--format', '{{.Mountpoint}}']
  return (await run('docker', ['volume', 'inspect', ...format, volume])).trim()
}

/** Sockets are left out: no backup has them. */
export async function everythingIn(volume: string): Promise<readonly string[]> {
  const root = await folderOf(volume)
  /** Names are bytes, and need not be text. */
  const lines: string[] = []
  const firstNames = new Map<bigint, string>()

  async function note(path: Buffer, name: string): Promise<void> {
    const stats = await lstat(path, { bigint: true })
    if (stats.isSocket()) return
    const { mode, uid, gid, mtimeNs, nlink, ino, size } = stats
    const facts = [name, mode.toString(8), `${uid}:${gid}`, String(mtimeNs)]
    if (stats.isFile()) {
      const first = firstNames.get(ino) ?? name
      firstNames.set(ino, first)
      facts.push(String(size), await digest(path), `${nlink} with ${first}`)
    }
    if (stats.isSymbolicLink()) facts.push((await readlink(path, 'buffer')).toString('hex'))
    lines.push(facts.join(' | '))
    if (!stats.isDirectory()) return
    for (const entry of (await readdir(path, 'buffer')).sort((one, other) => one.compare(other)))
      await note(Buffer.concat([path, Buffer.from('/'), entry]), `${name}/${escaped(entry)}`)
  }

  await note(Buffer.from(root), '.')
  return [...lines, ...(await attributesIn(root))]
}

/** Access lists are attributes, too. */
async function attributesIn(root: string): Promise<readonly string[]> {
  const all = ['--recursive', '--physical', '--no-dereference', '--match=-', '--dump']
  const text = await run('getfattr', [...all, '--encoding=hex', '--absolute-names', root])
  return text.replaceAll(root, '.').trim().split('\n\n').sort()
}

const escaped = (name: Buffer): string =>
  name
    .toString('latin1')
    .replace(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)

async function digest(path: Buffer): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk)
  return hash.digest('hex')
}
