// Whether an application of plain TCP takes a connection. Nothing is sent: what it expects is not known.
import type { Address, Finding } from '@berth/shared/contract'
import { connectPlain } from '../forward/connect-plain.ts'

/** Never rejects. */
export async function accepts(
  address: Address,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly connected: true } | { readonly finding: Exclude<Finding, 'status'> }> {
  try {
    const socket = await connectPlain(address, timeoutMs, signal)
    socket.on('error', () => undefined)
    socket.destroy()
    return { connected: true }
  } catch (error) {
    const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
    return { finding: isRefused ? 'refused' : 'unreachable' }
  }
}
