// A separate program that runs inside a network namespace. It accepts connections on a Unix socket, which is reachable from
// any namespace, and connects each to a host and port of its own namespace. Arguments: socket, host, port.
import { connect, createServer } from 'node:net'

const [socketPath = '', host = '', port = ''] = process.argv.slice(2)

createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ host, port: Number(port), allowHalfOpen: true })
  near.on('error', () => far.destroy())
  far.on('error', () => near.destroy())
  near.on('close', () => far.destroy())
  far.on('close', () => near.destroy())
  near.pipe(far)
  far.pipe(near)
}).listen(socketPath, () => process.stdout.write('listening\n'))
