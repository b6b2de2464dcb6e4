// Compares a host's key with the one in known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * @param file the text of known_hosts
 * @param key the key that the host sent
 */
export function isKnownHost(file: string, host: string, port: number, key: Buffer): boolean {
  const name = port === 22 ? host : `[${host}]:${port}`
  const lines = file.split('\n').map((line) => line.trim().split(/\s+/))
  const isKey = (text: string | undefined): boolean =>
    text !== undefined && Buffer.from(text, 'base64').equals(key)
  const isRevoked = lines.some(([mark, , , text]) => mark === '@revoked' && isKey(text))
  return (
    !isRevoked && lines.some(([names = '', , text]) => includesName(names, name) && isKey(text))
  )
}

function includesName(names: string, name: string): boolean {
  if (names.startsWith('|1|')) return isHashOf(names, name)
  return names.split(',').includes(name)
}

/** `|1|salt|HMAC-SHA1 of the name` */
function isHashOf(hashed: string, name: string): boolean {
  const [, , salt = '', digest = ''] = hashed.split('|')
  const wanted = Buffer.from(digest, 'base64')
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return wanted.length === actual.length && timingSafeEqual(wanted, actual)
}
