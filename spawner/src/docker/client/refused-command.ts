// Why the engine does not run the command of an image, in words for people. Pure.

const program = /(?:exec: )?"(?<name>[^"]+)": /

const reasons: readonly (readonly [RegExp, (name: string) => string])[] = [
  [
    /unable to find (?:user|group) (?<name>[^:]+): no matching entries/,
    (name) => `the image has no user or group ${name}`,
  ],
  [
    new RegExp(
      `${program.source}(?:executable file not found|(?:stat|lstat) .*no such file|no such file)`,
    ),
    (name) => `the image has no program ${name}, which its command names`,
  ],
  [
    new RegExp(`${program.source}permission denied`),
    (name) => `the file ${name}, which the command of the image names, is not executable`,
  ],
  [
    new RegExp(`${program.source}is a directory`),
    (name) => `${name}, which the command of the image names, is a folder`,
  ],
  [/no command specified/i, () => 'neither the image nor its template says which command to run'],
]

const longestName = 100

/** @param message of the engine @returns the end of a sentence, with its full stop, or `undefined` */
export function reasonFor(message: string): string | undefined {
  for (const [pattern, say] of reasons) {
    const found = pattern.exec(message)
    if (found !== null) return `: ${say((found.groups?.['name'] ?? '').slice(0, longestName))}.`
  }
  return undefined
}
