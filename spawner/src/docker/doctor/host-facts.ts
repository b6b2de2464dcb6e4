// What a container on the host's own network tells about the machine of the engine: disk, memory, routes, ports.
import type { HostFacts, RoomFacts } from '../../doctor/facts.ts'
import { listenersOf } from '../containers/listening-sockets.ts'
import type { RunShortly } from '../containers/short-run.ts'
import { doctorRole, words, type TrialDeps } from './trial.ts'
import { routesOf } from './routes.ts'

/** Images and containers are below the one, volumes below the other: an administrator may have moved them apart. */
const folders = { 'the disk of the containers': '/', 'the disk of the volumes': '/v' } as const
const mark = '=== '
const parts = ['disk', 'memory', 'routes', 'sockets'] as const

const script = [
  `echo ${mark}disk`,
  ...Object.values(folders).map((path) => `stat -f -c '%S %b %a %c %d' ${path}`),
  `echo ${mark}memory; cat /proc/meminfo`,
  `echo ${mark}routes; cat /proc/net/route`,
  // A busy host has thousands of connections, and only sockets that listen (0A) matter.
  `echo ${mark}sockets; cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep ' 0A ' || true`,
].join('\n')

export async function gatherHostFacts(
  { image }: TrialDeps,
  runShortly: RunShortly,
  signal: AbortSignal,
): Promise<HostFacts> {
  const order = {
    role: doctorRole,
    image,
    command: ['sh', '-ec', script] as const,
    host: {
      NetworkMode: 'host',
      // Without this, an engine with user namespaces refuses the network of the host.
      UsernsMode: 'host',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      Mounts: [{ Type: 'volume' as const, Source: '', Target: folders['the disk of the volumes'] }],
    },
    withinMs: 20_000,
  }
  const { code, output } = await runShortly(order, signal)
  if (code !== 0) throw new Error(words(output))
  return parseHostFacts(output)
}

export function parseHostFacts(output: string): HostFacts {
  const texts = new Map(
    output.split(mark).map((part) => {
      const [name = '', ...lines] = part.split('\n')
      return [name, lines.join('\n')]
    }),
  )
  const [disk = '', memory = '', routes = '', sockets = ''] = parts.map((name) => texts.get(name))
  return {
    rooms: roomsOf(disk),
    availableMemoryBytes: Number(/^MemAvailable:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0) * 1024,
    routes: routesOf(routes),
    listening: listenersOf(sockets).map(({ port }) => port),
  }
}

/** One line for each folder. Two folders on one disk are one room. */
function roomsOf(text: string): readonly RoomFacts[] {
  const rooms = text
    .trim()
    .split('\n')
    .map((line, at) => {
      const [size = 0, blocks = 0, free = 0, totalFiles = 0, freeFiles = 0] = line
        .split(' ')
        .map(Number)
      const what = Object.keys(folders)[at] ?? ''
      return { what, freeBytes: size * free, totalBytes: size * blocks, freeFiles, totalFiles }
    })
  return rooms.filter(
    (room, at) =>
      at === 0 ||
      room.totalBytes !== rooms[0]?.totalBytes ||
      room.totalFiles !== rooms[0].totalFiles,
  )
}
