// What no service may write to its log: secrets of the deployments, sessions and codes of people. What is planted by the
// clients of a test is searched for in the log of every deployment of its process.

const planted = new Map<string, string>()
/** Shorter texts occur by chance. */
const shortest = 12

/** @param what for the report of a failure, which must not repeat the secret itself */
export function plant(what: string, value: string | null | undefined): void {
  if (value !== null && value !== undefined && value.length >= shortest) planted.set(value, what)
}

export function plantSettings(settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings))
    if (/(SECRET|TOKEN|PASSWORD)$/.test(name)) plant(name, value)
}

/** @returns each planted secret that the text has, with its line, in which it is blanked */
export function secretsIn(text: string): string[] {
  return [...planted].flatMap(([value, what]) => {
    const spellings = [value, encodeURIComponent(value)]
    const at = spellings.map((found) => text.indexOf(found)).find((index) => index >= 0)
    if (at === undefined) return []
    const line = text.slice(text.lastIndexOf('\n', at) + 1).split('\n', 1)[0] ?? ''
    const blanked = spellings.reduce((rest, found) => rest.replaceAll(found, '***'), line)
    return [`${what}: ${blanked.slice(0, 500)}`]
  })
}
