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

/** A listener for both families tells addresses of IPv4 as `::ffff:192.0.2.1`. */
export function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
