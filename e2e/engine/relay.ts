// A separate program that runs inside a network namespace. It accepts connections at one address and connects each to
// another. A path is a Unix socket, which is reachable from any namespace; `host:port` belongs to the namespace itself.
// Arguments: the address to listen at, the address to connect to.
import { connect, createServer, type TcpNetConnectOpts } from 'node:net'

const [from = '', to = ''] = process.argv.slice(2)

createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ ...addressOf(to), allowHalfOpen: true } as TcpNetConnectOpts)
  near.on('error', () => far.destroy())
  far.on('error', () => near.destroy())
  near.on('close', () => far.destroy())
  far.on('close', () => near.destroy())
  near.pipe(far)
  far.pipe(near)
}).listen(addressOf(from), () => process.stdout.write('listening\n'))

function addressOf(text: string): { path: string } | { host: string; port: number } {
  if (text.startsWith('/')) return { path: text }
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}
