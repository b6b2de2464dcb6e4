// Reads the routes of the host from `/proc/net/route`. Pure.
import { parseIpv4, parseSubnet } from '@berth/shared/subnet-pool'
import type { Route } from '../../doctor/facts.ts'

/** `eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF …`: device, destination, gateway, flags, …, mask; bytes in reverse. */
const line = /^(\S+)\s+([0-9A-F]{8})\s+[0-9A-F]{8}\s+[0-9A-F]+(?:\s+\d+){3}\s+([0-9A-F]{8})\s/

/** @returns without the default route, which leads everywhere */
export function routesOf(text: string): readonly Route[] {
  return text.split('\n').flatMap((written): Route[] => {
    const [, device = '', destination = '', mask = ''] = line.exec(written) ?? []
    const bits = [...dotted(mask).split('.')].reduce((sum, byte) => sum + ones(Number(byte)), 0)
    const subnet = bits === 0 ? undefined : parseSubnet(`${dotted(destination)}/${bits}`)
    return subnet === undefined || parseIpv4(dotted(destination)) === undefined
      ? []
      : [{ subnet, device }]
  })
}

const dotted = (hex: string): string =>
  [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) || 0).join('.')

const ones = (byte: number): number => byte.toString(2).replaceAll('0', '').length
