// Tries from inside a container to connect to other hosts.
import { run } from '../run/command.ts'

export interface Door {
  readonly host: string
  readonly port: number
}

export interface Knocked extends Door {
  readonly how: string
  readonly connected: boolean
  /** How many bytes the other side sent. */
  readonly bytes: number
}

/** Tries all of them at once. The container needs Node. */
export async function knockFromInside(
  container: string,
  doors: readonly Door[],
): Promise<Knocked[]> {
  const program = ['node', '--input-type=module', '--eval', knocking, JSON.stringify(doors)]
  return JSON.parse(await run('docker', ['exec', container, ...program])) as Knocked[]
}

const knocking = `
  import { connect } from 'node:net'
  const knock = ({ host, port }) => new Promise((resolve) => {
    const seen = { host, port, how: '', connected: false, bytes: 0 }
    const socket = connect({ host, port })
    const end = (how) => { clearTimeout(timer); socket.destroy(); resolve({ ...seen, how }) }
    const timer = setTimeout(() => end('timeout'), 4000)
    socket.on('connect', () => {
      seen.connected = true
      socket.write('GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
    })
    socket.on('data', (chunk) => { seen.bytes += chunk.length })
    socket.on('error', (error) => end(error.code))
    socket.on('close', () => end('closed'))
  })
  const doors = JSON.parse(process.argv[1])
  console.log(JSON.stringify(await Promise.all(doors.map(knock))))
`
