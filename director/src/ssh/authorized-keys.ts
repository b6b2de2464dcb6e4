// Reads an authorized_keys file (sshd(8), "AUTHORIZED_KEYS FILE FORMAT") and finds the line that admits a key. A line with
// an option that is not honoured here admits nobody: it may restrict what its key is for. Pure.
import { BlockList, isIP } from 'node:net'
import { plainAddress } from '@berth/shared/networks'
import { isKeyType, readPublicKey, type PublicKey } from '@berth/shared/public-key'

export interface AuthorizedKey extends PublicKey {
  /** Absent: from anywhere. */
  readonly from?: string
  /** In milliseconds since 1970. */
  readonly expiresAt?: number
  readonly mayHaveTerminal: boolean
  readonly mayForward: boolean
  /** `host:port`, where the port may be `*`. Absent: anywhere in the workspace. */
  readonly permitOpen?: readonly string[]
}

export interface AuthorizedKeys {
  readonly keys: readonly AuthorizedKey[]
  readonly complaints: readonly { readonly line: number; readonly complaint: string }[]
}

const mostLines = 1_000

export function parseAuthorizedKeys(text: string): AuthorizedKeys {
  const keys: AuthorizedKey[] = []
  const complaints: { line: number; complaint: string }[] = []
  for (const [index, raw] of text.split('\n').slice(0, mostLines).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const read = readLine(line)
    if (typeof read === 'string') complaints.push({ line: index + 1, complaint: read })
    else keys.push(read)
  }
  return { keys, complaints }
}

/** The line that admits this key now, from there. */
export function findKey(
  { keys }: AuthorizedKeys,
  blob: Buffer,
  client: { readonly address: string; readonly now: number },
): AuthorizedKey | undefined {
  return keys.find(
    (key) =>
      key.blob.equals(blob) &&
      (key.expiresAt === undefined || client.now < key.expiresAt) &&
      (key.from === undefined || matchesFrom(key.from, client.address)),
  )
}

/** @returns the key, or a complaint */
function readLine(line: string): AuthorizedKey | string {
  const [first] = /^\S+/.exec(line) ?? ['']
  if (isKeyType(first)) return readKey(line, { mayHaveTerminal: true, mayForward: true })
  const split = splitOptions(line)
  if (split === undefined) return 'has an open quote'
  const options = readOptions(split.options)
  return typeof options === 'string' ? options : readKey(split.rest, options)
}

type Options = Omit<AuthorizedKey, keyof PublicKey>

function readKey(text: string, options: Options): AuthorizedKey | string {
  const [type = '', base64 = ''] = text.split(/\s+/)
  const key = readPublicKey(type, base64)
  return typeof key === 'string' ? key : { ...key, ...options }
}

/** Options end at the first blank outside quotes. */
function splitOptions(
  line: string,
): { readonly options: readonly string[]; readonly rest: string } | undefined {
  const options: string[] = []
  let option = ''
  let isQuoted = false
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? ''
    if (isQuoted && char === '\\' && line[at + 1] === '"') {
      option += '"'
      at += 1
    } else if (char === '"') isQuoted = !isQuoted
    else if (!isQuoted && char === ',') {
      options.push(option)
      option = ''
    } else if (!isQuoted && /\s/.test(char))
      return { options: [...options, option], rest: line.slice(at).trim() }
    else option += char
  }
  return isQuoted ? undefined : { options: [...options, option], rest: '' }
}

/** What these forbid is offered to nobody, so that nothing has to be done for them. */
const withoutEffect: ReadonlySet<string> = new Set([
  ...['agent-forwarding', 'no-agent-forwarding', 'user-rc', 'no-user-rc'],
  ...['x11-forwarding', 'no-x11-forwarding'],
])

function readOptions(written: readonly string[]): Options | string {
  let from: string | undefined
  let expiresAt: number | undefined
  let mayHaveTerminal = true
  let mayForward = true
  const permitOpen: string[] = []
  for (const option of written) {
    const equals = option.indexOf('=')
    const name = (equals === -1 ? option : option.slice(0, equals)).toLowerCase()
    const value = equals === -1 ? undefined : option.slice(equals + 1)
    if (name === 'restrict') mayHaveTerminal = mayForward = false
    else if (name === 'no-pty') mayHaveTerminal = false
    else if (name === 'no-port-forwarding') mayForward = false
    else if (name === 'port-forwarding') mayForward = true
    else if (name === 'permitopen' && value) {
      if (!/^[^\s:]+:(\d{1,5}|\*)$/.test(value) && !/^\[[^\]\s]+\]:(\d{1,5}|\*)$/.test(value))
        return `has a permitopen that is not host:port: ${value.slice(0, 60)}`
      permitOpen.push(value.toLowerCase())
    } else if (name === 'pty') mayHaveTerminal = true
    else if (name === 'from' && value) from = from === undefined ? value : undefined
    else if (name === 'expiry-time' && value) {
      const at = readTime(value)
      if (at === undefined) return `has an expiry-time that is not a time: ${value.slice(0, 60)}`
      expiresAt = Math.min(at, expiresAt ?? at)
    } else if (!withoutEffect.has(name))
      return `has the option ${name.slice(0, 60)}, which is not supported`
    if (name === 'from' && from === undefined) return 'has from more than once'
  }
  return {
    mayHaveTerminal,
    mayForward,
    ...(permitOpen.length === 0 ? {} : { permitOpen }),
    ...(from === undefined ? {} : { from }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** `YYYYMMDD[HHMM[SS]][Z]`; without `Z` in the time zone of the director. */
function readTime(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/i.exec(text)
  if (match === null) return undefined
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', zone] = match
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone ? 'Z' : ''}`)
  return Number.isFinite(at) ? at : undefined
}

/** Patterns separated by commas, as in ssh_config(5): `*`, `?`, networks; `!` before one excludes what it matches. */
function matchesFrom(patterns: string, given: string): boolean {
  const address = plainAddress(given)
  let isMatched = false
  for (const item of patterns.split(',').map((part) => part.trim())) {
    const isNegated = item.startsWith('!')
    const pattern = isNegated ? item.slice(1) : item
    if (!matchesPattern(pattern, address)) continue
    if (isNegated) return false
    isMatched = true
  }
  return isMatched
}

function matchesPattern(pattern: string, address: string): boolean {
  const [net = '', bits] = pattern.split('/')
  if (bits !== undefined) return isInNetwork(net, bits, address)
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${text}$`, 'i').test(address)
}

function isInNetwork(net: string, bits: string, address: string): boolean {
  const family = isIP(net)
  if (family === 0 || family !== isIP(address) || !/^\d{1,3}$/.test(bits)) return false
  if (Number(bits) > (family === 4 ? 32 : 128)) return false
  const list = new BlockList()
  const type = family === 4 ? 'ipv4' : 'ipv6'
  list.addSubnet(net, Number(bits), type)
  return list.check(address, type)
}

/** Whether the line of this key lets its client be connected there, as `permitopen` and the others say. */
export function mayOpen(
  { mayForward, permitOpen }: Pick<AuthorizedKey, 'mayForward' | 'permitOpen'>,
  wanted: { readonly host: string; readonly port: number } | { readonly path: string },
): boolean {
  if (!mayForward || permitOpen === undefined) return mayForward
  if ('path' in wanted) return false
  const host = wanted.host.toLowerCase()
  const named = host.includes(':') ? `[${host}]` : host
  return permitOpen.includes(`${named}:${wanted.port}`) || permitOpen.includes(`${named}:*`)
}
