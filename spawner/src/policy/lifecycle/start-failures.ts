// Why a start failed, as far as it can be told: what the last probe met, where the container listens, what it left behind.
// Pure. What Berth stopped itself is never explained by its exit code.
import type { Finding } from '@berth/shared/contract'
import { formatSize } from '@berth/shared/size'
import type { Failure, LastWords, Listener } from '../domain.ts'

/** What a probe met, and where it looked. */
export interface Met {
  readonly finding: Finding
  readonly status?: number
}

const mostPorts = 5

/** @param met absent: no director told */
export function neverReady(met: Met | undefined, port: number, path: string): Failure {
  const code = 'start_timeout'
  const detail = 'The workspace was started, but it did not answer in time'
  if (met === undefined) return { code, detail: `${detail}.` }
  return { code, obstacle: met.finding, detail: `${detail}: ${wordsOf(met, port, path)}.` }
}

function wordsOf({ finding, status }: Met, port: number, path: string): string {
  switch (finding) {
    case 'refused':
      return `nothing listens on port ${port} of the container (connection refused)`
    case 'unreachable':
      return `port ${port} of the container took no connection`
    case 'silent':
      return `port ${port} took the connection, but ${path} was not answered`
    case 'closed':
      return `the application closed the connection to port ${port} without an answer`
    case 'tls':
      return `the application speaks only HTTPS on port ${port}`
    case 'no_tls':
      return `the application does not speak HTTPS on port ${port}, which scheme: https says`
    case 'oversized':
      return `the headers with which ${path} on port ${port} was answered are larger than Berth accepts`
    case 'not_http':
      return `what answers on port ${port} does not speak HTTP`
    case 'status':
      return `${path} on port ${port} was answered with status ${status ?? 'unknown'}`
  }
}

export const neverHealthy: Failure = {
  code: 'start_timeout',
  obstacle: 'unhealthy',
  detail: 'The workspace was started, but its health check did not succeed in time.',
}

/** Where the container listens, for a failure whose probe was refused. */
export function withListeners(
  failure: Failure,
  listeners: readonly Listener[],
  port: number,
): Failure {
  if (failure.obstacle !== 'refused') return failure
  const begin = 'The workspace was started, but it cannot be reached'
  const onPort = listeners.find((one) => one.port === port)
  if (onPort?.loopback === true)
    return {
      ...failure,
      obstacle: 'loopback',
      detail: `${begin}: the application listens on port ${port} only at the loopback address (127.0.0.1 or ::1), inside the container.`,
    }
  // The socket of `::` may be one for IPv6 alone: the kernel's table does not tell.
  if (onPort !== undefined)
    return {
      ...failure,
      obstacle: 'late',
      detail: `The workspace was started, but port ${port} of the container refused connections until the time was over. The application listens there now: it was slow, or it listens for IPv6 alone.`,
    }
  const ports = [...new Set(listeners.map((one) => one.port))].sort((a, b) => a - b)
  if (ports.length === 0) return failure
  const others = `port ${ports.slice(0, mostPorts).join(', ')}`
  return {
    ...failure,
    obstacle: 'other_port',
    detail: `${begin}: nothing listens on port ${port} of the container, which listens on ${others}.`,
  }
}

/** Of programs that start other programs and have to be process 1: s6-overlay, runit, init of busybox, systemd. */
const processOne =
  /(?:can only run|must (?:be )?run|(?:has|needs) to (?:be )?run)\b[^\n]{0,20}\b(?:pid|process(?: no\.?| number)?) ?1\b|system has not been booted with systemd/i

/** As programs that start others say it: docker-init, runc, shells. */
const notExecutable = /\bexec format error\b/i

/** Of a program that is there: what should run it is not. */
const notInterpreted = /^exec \S.*: no such file or directory$/i

/** What the container left behind, read before it was removed. */
export function explained(failure: Failure, words: LastWords): Failure {
  const { log, health, outOfMemory } = words
  const known = log.length === 0 ? failure : { ...failure, log }
  if (outOfMemory !== undefined) {
    const limit = outOfMemory === 0 ? '' : ` more than the ${formatSize(outOfMemory)} of`
    const needed = `needed${limit} memory that ${failure.exitCode === undefined ? 'the workspace' : 'it'} may use`
    return {
      ...known,
      obstacle: 'memory',
      detail:
        failure.exitCode === undefined
          ? `${failure.detail} A program in it ${needed}, and was killed.`
          : `The workspace ended while it was starting: it ${needed}, and was killed.`,
    }
  }
  if (log.some((line) => processOne.test(line))) return { ...known, obstacle: 'process_one' }
  if (failure.exitCode !== undefined) {
    if (log.some((line) => notExecutable.test(line)))
      return { ...known, obstacle: 'not_executable' }
    if (log.some((line) => notInterpreted.test(line)))
      return { ...known, obstacle: 'no_interpreter' }
  }
  if (failure.obstacle === 'unhealthy' && health !== undefined)
    return { ...known, detail: `${failure.detail} The check said last: ${health}` }
  return known
}
