// The small programs that a session in a container begins and ends with. They need `sh` in the image, and nothing else.

/** Beside the program of the image, so that whatever ends the session knows what to end: the engine tells no pid. */
const sayPid = `printf '%s\\n' "$$"`
/** The size of a terminal can be set only once the program runs. So the program waits for it: a first `stty size` is right. */
const awaitSize = 'IFS= read -r _'
const enterHome = 'cd "${HOME:-/}" 2>/dev/null'

/** Prints its pid, which is that of the session too, and becomes the command. */
export function sessionCommand(command: readonly string[], isTerminal: boolean): string[] {
  const script = [sayPid, ...(isTerminal ? [awaitSize] : []), enterHome, 'exec "$@"'].join('\n')
  return ['sh', '-c', script, 'sh', ...command]
}

/** Sends a signal to every process of a session. With nothing but what `sh` itself has: the name of a program may hold
 * blanks and brackets, so the fields of `stat` are counted from the last bracket on. */
const signalSession = `for stat in /proc/[0-9]*/stat; do
  { IFS= read -r line < "$stat"; } 2>/dev/null || continue
  pid=\${stat#/proc/}
  set -- "$1" "$2" \${line##*) }
  if [ "$6" = "$2" ]; then kill -s "$1" "\${pid%/stat}" 2>/dev/null; fi
done
:`

export function signalCommand(signal: 'HUP' | 'KILL', session: number): string[] {
  return ['sh', '-c', signalSession, 'sh', signal, String(session)]
}
