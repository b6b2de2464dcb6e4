// The keys by which clients know this host, and by which it signs in at SSH servers in workspaces. They are made once; all directors of a deployment share the folder.
import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fingerprintOf } from '@berth/shared/public-key'
import ssh2, { type ParsedKey } from 'ssh2'

export interface HostKey {
  readonly privateKey: string
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string
  readonly type: string
}

/** @throws when the folder cannot be written and has no keys yet */
export async function readHostKeys(folder: string): Promise<readonly HostKey[]> {
  await mkdir(folder, { recursive: true })
  return Promise.all([
    hostKey(join(folder, 'ssh_host_ed25519_key'), makeEd25519),
    hostKey(join(folder, 'ssh_host_ecdsa_key'), makeEcdsa),
  ])
}

/** By which the directors sign in at the SSH servers in workspaces. */
export interface ClientKey {
  readonly private: string
  /** As it is on the wire, in base64. */
  readonly public: string
}

/** @throws when the folder cannot be written and has no key yet */
export async function readClientKey(folder: string): Promise<ClientKey> {
  await mkdir(folder, { recursive: true })
  const made = await keyAt(join(folder, 'ssh_client_ed25519_key'), makeEd25519)
  return { private: made.privateKey, public: made.key.getPublicSSH().toString('base64') }
}

type Make = () => { readonly private: string }
const makeEd25519: Make = () => ssh2.utils.generateKeyPairSync('ed25519')
const makeEcdsa: Make = () => ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })

/** One of 500 keys that ssh2 1.17 makes for ed25519 is malformed, and a director could never start with it. */
export function makeWellFormed(make: Make): string {
  for (;;) {
    const { private: text } = make()
    if (!(ssh2.utils.parseKey(text) instanceof Error)) return text
  }
}

async function hostKey(path: string, make: Make): Promise<HostKey> {
  const { privateKey, key } = await keyAt(path, make)
  return { privateKey, type: key.type, fingerprint: fingerprintOf(key.getPublicSSH()) }
}

/** Reads the file, or makes the key and the file. */
async function keyAt(
  path: string,
  make: Make,
): Promise<{ readonly privateKey: string; readonly key: ParsedKey }> {
  const privateKey = (await readIfThere(path)) ?? (await create(path, makeWellFormed(make)))
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error) throw new Error(`${path} is no private key: ${parsed.message}`)
  const [key] = [parsed].flat()
  if (key === undefined) throw new Error(`${path} has no key`)
  return { privateKey, key }
}

/** Another director may create it at the same time: whoever is first has made the key. */
async function create(path: string, text: string): Promise<string> {
  const own = `${path}.${randomUUID()}`
  await writeFile(own, text, { mode: 0o600, flag: 'wx' })
  try {
    await link(own, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await unlink(own)
  }
  return readFile(path, 'utf8')
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
