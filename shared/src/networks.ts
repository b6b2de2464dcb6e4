// Networks of clients, such as `192.0.2.0/24`, and the addresses in them.
import { BlockList, isIP } from 'node:net'

export interface Network {
  /** As it was written. */
  readonly text: string
  /** @param address as a socket has it, also an IPv4 address in the form of IPv6 */
  contains(address: string): boolean
  overlaps(other: Network): boolean
  /** Its first address or another one of it. */
  readonly address: string
}

/** @returns `undefined` unless the text is an address, or an address, `/` and a number of bits */
export function parseNetwork(text: string): Network | undefined {
  const [written = '', bits, ...rest] = text.split('/')
  const address = plainAddress(written)
  const family = isIP(address)
  const most = family === 4 ? 32 : 128
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : most + 1
  if (family === 0 || address.includes('%') || rest.length > 0 || length > most) return undefined
  const list = new BlockList()
  list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
  const contains = (other: string): boolean => {
    const plain = plainAddress(other)
    // A check of the list would compare an IPv4 address with networks of IPv6, too.
    return isIP(plain) === family && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    text,
    address,
    contains,
    overlaps: (other) => contains(other.address) || other.contains(address),
  }
}

/**
 * An IPv4 address in the form of IPv6 becomes one: a listener for both families tells `::ffff:192.0.2.1`, and a proxy may
 * write it in hexadecimal. Everything else stays as it is.
 */
export function plainAddress(address: string): string {
  const groups = groupsOf(address)
  if (groups?.slice(0, 6).join() !== '0,0,0,0,0,65535') return address
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join('.')
}

/** What is counted as one client: an address, or the /64 of one of IPv6, in which a host chooses its addresses itself. */
export function clientOf(address: string): string {
  const [plain = ''] = plainAddress(address).split('%', 1)
  const groups = groupsOf(plain)
  if (groups === undefined) return plain
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** @returns `undefined` unless it is an address of IPv6 */
function groupsOf(address: string): readonly number[] | undefined {
  if (isIP(address) !== 6 || address.includes('%')) return undefined
  // Written in full, but for one `::` at most.
  const [first = [], last] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16))))
  if (last === undefined) return first
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}
