// Why the engine does not start a container, in words for people: causes in an image, in a template or of the server. Pure.

const program = /exec: "(?<name>[^"]+)": /

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
  [
    /gathering device information .* "(?<name>[^"]+)": no such file/,
    (name) => `the server has no device ${name}, which the template names`,
  ],
  [
    /could not select device driver .*\[\[.*gpu/,
    () => 'the server offers containers no GPU, and the template wants one',
  ],
  [
    /unknown or invalid runtime name: (?<name>\S+)/,
    (name) => `the server has no runtime ${name}, which the template names`,
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
