// Header lists as Node and undici have them: names and values in turn, every byte, order and case as it came.

/** @param visit called with the name in lower case, the value, and the name as it came */
export function eachHeader(
  rawHeaders: readonly string[],
  visit: (name: string, value: string, spelling: string) => void,
): void {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const spelling = rawHeaders[i] ?? ''
    visit(spelling.toLowerCase(), rawHeaders[i + 1] ?? '', spelling)
  }
}

/** The headers that the filter keeps, with their names as they came. @param keep called with the name in lower case */
export function filterHeaders(
  rawHeaders: readonly string[],
  keep: (name: string, value: string) => boolean,
): string[] {
  const kept: string[] = []
  eachHeader(rawHeaders, (name, value, spelling) => {
    if (keep(name, value)) kept.push(spelling, value)
  })
  return kept
}

/** @param name lower case @returns the values of every header of that name, in their order */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (isNamed(rawHeaders[i], name)) values.push(rawHeaders[i + 1] ?? '')
  return values
}

/** @param name lower case @returns the value of the first header of that name */
export function firstValueOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (isNamed(rawHeaders[i], name)) return rawHeaders[i + 1] ?? ''
  return undefined
}

/** Each name with its value. */
export function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  const list: [string, string][] = []
  for (let i = 0; i < rawHeaders.length; i += 2)
    list.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
  return list
}

/** Lengths first: most headers need no lower-case copy then. */
function isNamed(spelling: string | undefined, name: string): boolean {
  return spelling?.length === name.length && spelling.toLowerCase() === name
}
