// A public key of SSH, as a line of an authorized_keys file has it (sshd(8), RFC 4253, RFC 5656, RFC 8709). Pure.
import { createHash } from 'node:crypto'

export interface PublicKey {
  readonly type: string
  /** As it is on the wire. */
  readonly blob: Buffer
}

/** The fields of each type after its name. */
const fieldsOf: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 1],
  ['ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521', 2],
  ['ssh-rsa', 2],
])

export const isKeyType = (text: string): boolean => fieldsOf.has(text)

/** @returns the key, or a complaint, for a sentence that begins with what has the key */
export function readPublicKey(type: string, base64: string): PublicKey | string {
  const fields = fieldsOf.get(type)
  if (fields === undefined)
    return `has a key of the type ${type.slice(0, 60)}, which is not supported`
  const blob = Buffer.from(base64, 'base64')
  const read = fieldsIn(blob)
  // The type is repeated inside.
  const isWhole = read?.length === fields + 1 && read[0]?.toString('latin1') === type
  return isWhole ? { type, blob } : 'has a key that is damaged'
}

/** As `ssh-keygen -l` prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** Each has its length before it. @returns `undefined` unless they fill the bytes */
function fieldsIn(blob: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = []
  let at = 0
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) return undefined
    fields.push(blob.subarray(at + 4, end))
    at = end
  }
  return fields
}
