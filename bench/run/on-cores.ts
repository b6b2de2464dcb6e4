/** A program and its arguments, on these cores and with enough open files for a bench: the usual limit is for a tenth. */
export function onCores(
  cores: string,
  program: string,
  args: readonly string[],
): [program: string, args: string[]] {
  const limited = 'ulimit -n 65536 2>/dev/null; exec taskset --cpu-list "$0" "$@"'
  return ['sh', ['-c', limited, cores, program, ...args]]
}
