// Reads the listening sockets of a container's network from `/proc/net/tcp` and `/proc/net/tcp6`. Pure.
import type { Listener } from '../../policy/domain.ts'

/** `  0: 0100007F:1F90 00000000:0000 0A …`: number, local address and port, remote address and port, state. */
const line =
  /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /
const listening = '0A'
/** The engine's own name server in each container: 127.0.0.11, with the bytes in reverse. */
const nameServer = '0B00007F'
/** 127.0.0.0/8, ::1, and 127.0.0.0/8 mapped to IPv6. */
const loopback = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/

/** @returns one for each port; at the loopback address only if no socket of the port listens at another address */
export function listenersOf(text: string): readonly Listener[] {
  const ports = new Map<number, boolean>()
  for (const written of text.split('\n')) {
    const [, address = '', port = '', state] = line.exec(written) ?? []
    if (state !== listening || address === nameServer) continue
    const number = Number.parseInt(port, 16)
    ports.set(number, (ports.get(number) ?? true) && loopback.test(address))
  }
  return [...ports].map(([port, isLoopback]) => ({ port, loopback: isLoopback }))
}
