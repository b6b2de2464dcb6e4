// The network that the workspaces' addresses come from, divided into numbered /28 subnets. Pure arithmetic.

/** An IPv4 network: `base` is its first address as an unsigned 32-bit number. */
export interface SubnetPool {
  readonly cidr: string
  readonly base: number
  readonly bits: number
}

export interface Subnet {
  readonly base: number
  readonly bits: number
}

/** Room for a workspace and twelve directors. */
export const subnetBits = 28

/** @returns the unsigned 32-bit number of a dotted quad; `undefined` for anything else */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  const bytes = match.slice(1).map(Number)
  if (bytes.some((byte) => byte > 255)) return undefined
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

/** @returns `undefined` unless the text is an IPv4 network with its host part zero */
export function parseSubnet(text: string): Subnet | undefined {
  const [address, length, ...rest] = text.split('/')
  if (address === undefined || length === undefined || rest.length > 0) return undefined
  const base = parseIpv4(address)
  if (base === undefined || !/^\d{1,2}$/.test(length) || Number(length) > 32) return undefined
  const bits = Number(length)
  return base % 2 ** (32 - bits) === 0 ? { base, bits } : undefined
}

/** @returns `undefined` unless the text is an IPv4 network of /8 to /24 */
export function parseSubnetPool(text: string): SubnetPool | undefined {
  const subnet = parseSubnet(text.trim())
  if (subnet === undefined || subnet.bits < 8 || subnet.bits > 24) return undefined
  return { cidr: text.trim(), ...subnet }
}

/** How many subnets the pool has. */
export function subnetCount(pool: SubnetPool): number {
  return 2 ** (subnetBits - pool.bits)
}

/** @param index from 0 to `subnetCount(pool) - 1` */
export function subnetAt(pool: SubnetPool, index: number): Subnet {
  return { base: pool.base + index * 2 ** (32 - subnetBits), bits: subnetBits }
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatIpv4(subnet.base)}/${subnet.bits}`
}

export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  const size = 2 ** (32 - Math.min(a.bits, b.bits))
  return Math.floor(a.base / size) === Math.floor(b.base / size)
}

/** Whether an address belongs to the pool. An IPv4-mapped IPv6 address (`::ffff:10.213.0.2`) counts as the IPv4 address. */
export function poolContains(pool: SubnetPool, address: string): boolean {
  const value = parseIpv4(address.replace(/^::ffff:/i, ''))
  return value !== undefined && subnetsOverlap(pool, { base: value, bits: 32 })
}
