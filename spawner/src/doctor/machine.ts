// Verdicts about the engine and its machine: socket, version, storage, disk, memory, limits, clock. Pure.
import type { DataFolderFacts, EngineFacts, LimitFacts, RoomFacts, SocketFacts } from './facts.ts'
import { about, fault, ok, warning, type Finding } from './finding.ts'

const oldestEngine = 25
const fewestFiles = 0.05
/** Tokens of a provider are valid from now on, to the second, and some for one minute. */
export const mostSkewMs = 30_000

export function judgeSocket({ dockerHost, path, uid, failure }: SocketFacts): Finding {
  if (failure === undefined) return ok('socket', `the engine answers at ${dockerHost}`)
  const says = `the engine does not answer at ${dockerHost}: ${failure}`
  const open = 'Let DOCKER_SOCKET in .env name the socket of the engine (docker context inspect)'
  if (path?.kind === 'absent') return fault('socket', `${says}. There is no such file`, open)
  if (path?.kind === 'other') return fault('socket', `${says}. It is not a socket`, open)
  if (/EACCES|EPERM/.test(failure) && path !== undefined)
    return fault(
      'socket',
      `${says}. The socket belongs to user ${path.uid} and group ${path.gid} (mode ${(path.mode & 0o777).toString(8)}), and this process is user ${uid}`,
      `run as user ${path.uid}, or add the group: group_add: ['${path.gid}'] of the service spawner`,
    )
  return fault(
    'socket',
    says,
    path === undefined
      ? 'see whether DOCKER_HOST is right and the engine runs'
      : 'start the engine (systemctl start docker), and read its log (journalctl -u docker)',
  )
}

export function judgeEngine(facts: EngineFacts): Finding {
  const { product, version, apiVersion, system } = facts
  const says = `${product} ${version}, API ${apiVersion}, ${system}`
  const install = `install Docker Engine ${oldestEngine} or newer (https://docs.docker.com/engine/install/)`
  if (system !== 'linux') return fault('engine', says, `use an engine for Linux containers`)
  if (product !== 'Docker Engine')
    return warning('engine', says, `Berth is tested with Docker Engine only: ${install}`)
  const major = Number.parseInt(version, 10)
  return major >= oldestEngine ? ok('engine', says) : fault('engine', says, install)
}

export function judgeStorage({ storageDriver, hasEntryTypes }: EngineFacts): Finding {
  const says = `storage driver ${storageDriver}`
  if (!hasEntryTypes)
    return fault(
      'storage',
      `${says} on a file system without d_type`,
      'format it anew with d_type (XFS: ftype=1), or use ext4: files in images cannot be removed',
    )
  if (storageDriver === 'vfs')
    return warning(
      'storage',
      `${says}: each container is a whole copy of its image, slow to make and large`,
      'let the engine use overlay2 ("storage-driver" in /etc/docker/daemon.json)',
    )
  return ok('storage', says)
}

export function judgeDisk(facts: RoomFacts, leastFreeBytes: number): Finding {
  const { what, freeBytes, totalBytes, freeFiles, totalFiles } = facts
  const says = `${what}: ${about(freeBytes)} of ${about(totalBytes)} free`
  const room =
    'make room (docker system df shows what takes it; docker image prune removes images without a name; docker builder prune), or let the engine use a larger disk'
  if (freeBytes < leastFreeBytes)
    return fault('disk', `${says}, less than ${about(leastFreeBytes)} (--min-disk)`, room)
  if (totalFiles > 0 && freeFiles / totalFiles < fewestFiles)
    return fault('disk', `${says}, but only ${freeFiles} of ${totalFiles} files`, room)
  return ok('disk', says)
}

export interface MemoryWanted {
  /** The largest limit of a template; 0: none has a limit. */
  readonly largestBytes: number
  /** `MAX_MEMORY`; 0: no limit. */
  readonly boundBytes: number
  /** `MAX_WORKSPACES`; 0: no limit. */
  readonly workspaces: number
}

export function judgeMemory(
  totalBytes: number,
  availableBytes: number,
  { largestBytes, boundBytes, workspaces }: MemoryWanted,
): Finding {
  const says = `${about(availableBytes)} of ${about(totalBytes)} available`
  if (boundBytes > totalBytes)
    return fault(
      'memory',
      `${says}, and MAX_MEMORY is ${about(boundBytes)}`,
      'set MAX_MEMORY below the memory of the engine’s machine',
    )
  if (availableBytes < largestBytes)
    return fault(
      'memory',
      `${says}, and one workspace may use ${about(largestBytes)}`,
      'end other programs, use a machine with more memory, or lower CONTAINER_MEMORY',
    )
  const together = workspaces * largestBytes
  const most = boundBytes === 0 ? together : Math.min(boundBytes, together || boundBytes)
  if (most > totalBytes || (boundBytes === 0 && (workspaces === 0 || largestBytes === 0)))
    return warning(
      'memory',
      `${says}, and workspaces together may use ${most > totalBytes ? about(most) : 'any amount'}`,
      'set MAX_MEMORY, so that people wait in the queue before the machine has no memory left',
    )
  return ok('memory', `${says}; workspaces together may use ${about(most)}`)
}

export function judgeLimits(
  { memory, pids, cpus, madeWithCpus }: LimitFacts,
  countsSwap: boolean,
): Finding {
  const free = [
    ...(memory === 'free' ? ['memory'] : []),
    ...(pids === 'free' ? ['processes'] : []),
    ...(cpus !== madeWithCpus ? ['processors'] : []),
  ]
  if (free.length > 0)
    return fault(
      'limits',
      `a container was not held to its limit of ${free.join(' and of ')}`,
      'let the kernel and the engine have the cgroup controllers memory, pids and cpu (docker info says which are missing; for memory: cgroup_enable=memory on the kernel’s command line; rootless engines need delegation by systemd)',
    )
  if (!countsSwap)
    return warning(
      'limits',
      'a container was held to its limits, but the kernel does not count swap',
      'start the kernel with swapaccount=1, or use no swap: a container may use more than its memory limit',
    )
  return ok('limits', 'a container was held to its limits of memory, processes and processors')
}

export function judgeClock(whose: string, aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  const says = `the clock of ${whose} is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine’s`
  if (Math.abs(aheadMs) > mostSkewMs)
    return fault(
      'clock',
      says,
      'set both clocks by NTP (timedatectl): people cannot sign in, or their sessions end at the wrong time',
    )
  return ok('clock', seconds === 0 ? `the clock of ${whose} agrees with this machine’s` : says)
}

export function judgeDataFolder({ path, failure }: DataFolderFacts): Finding {
  if (failure === undefined) return ok('records', `${path} can be written`)
  return fault(
    'records',
    `nothing can be written to ${path}: ${failure}`,
    'let the user of the spawner write to DATA_DIR, and have room on its disk',
  )
}
