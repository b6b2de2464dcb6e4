// The small programs that a session in a container begins and ends with. They run in the busybox of the tools volume, so the
// image needs no shell.
import type { SessionSignal } from '@berth/shared/session-frames'
import { toolsFolder } from '../volumes/tools-volume.ts'

const shell = [`${toolsFolder}/bin/busybox`, 'sh', '-c'] as const
/** What ends the session has to know what to end: the engine tells no pid. */
const sayPid = `printf '%s\\n' "$$"`
/** The size of a terminal can be set only once the program runs. So the program waits for it: a first `stty size` is right. */
const awaitSize = 'IFS= read -r _'
/** As a server of SSH sets them; the container's own values win. */
const surroundings = `PATH="\${PATH:-/usr/local/bin:/usr/bin:/bin}:${toolsFolder}/bin"
USER="\${USER:-$(id -un 2>/dev/null)}" LOGNAME="\${LOGNAME:-$USER}" SHELL="\${SHELL:-$1}"
export PATH USER LOGNAME SHELL
cd "\${HOME:-/}" 2>/dev/null`
const orOwnShell = `if [ "$1" = /bin/sh ] && [ ! -x /bin/sh ]; then shift; set -- ${toolsFolder}/bin/sh "$@"; fi`

/** Prints its pid, which is that of the session too, and becomes the command. */
export function sessionCommand(
  command: readonly string[],
  terminal: { readonly modes?: readonly string[] | undefined } | undefined,
): string[] {
  const { modes = [] } = terminal ?? {}
  const script = [
    sayPid,
    ...(terminal === undefined ? [] : [awaitSize]),
    ...(modes.length === 0 ? [] : [`stty ${modes.join(' ')} 2>/dev/null`]),
    orOwnShell,
    surroundings,
    'exec "$@"',
  ]
  return [...shell, script.join('\n'), 'sh', ...command]
}

/** The name of a program may hold blanks and brackets, so the fields of `stat` are counted from the last bracket on. */
const signalSession = `for stat in /proc/[0-9]*/stat; do
  { IFS= read -r line < "$stat"; } 2>/dev/null || continue
  pid=\${stat#/proc/}
  set -- "$1" "$2" \${line##*) }
  if [ "$6" = "$2" ]; then kill -s "$1" "\${pid%/stat}" 2>/dev/null; fi
done
:`

export function signalCommand(signal: SessionSignal, session: number): string[] {
  return [...shell, signalSession, 'sh', signal, String(session)]
}

/** In the environment of every session: the run of the spawner that has opened it. */
export const runVariable = 'BERTH_SESSION'

/** The first process of a session was started from outside of the container, so its parent is not in it. */
const findLeft = `for stat in /proc/[0-9]*/stat; do
  { IFS= read -r line < "$stat"; } 2>/dev/null || continue
  pid=\${stat#/proc/}
  pid=\${pid%/stat}
  set -- "$1" \${line##*) }
  if [ "$3" != 0 ] || [ "$5" != "$pid" ]; then continue; fi
  run=$(${toolsFolder}/bin/busybox tr '\\0' '\\n' 2>/dev/null < "/proc/$pid/environ" | ${toolsFolder}/bin/busybox sed -n 's/^${runVariable}=//p')
  if [ -n "$run" ] && [ "$run" != "$1" ]; then printf '%s\\n' "$pid"; fi
done 2>/dev/null
:`

/** Prints the pids of sessions that another run has opened. */
export function leftSessionsCommand(run: string): string[] {
  return [...shell, findLeft, 'sh', run]
}
