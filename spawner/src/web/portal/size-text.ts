// Sizes as text for people: rounded, as nobody counts bytes.

const units = ['MiB', 'GiB', 'TiB']

/** `less than 1 MiB`, `3.5 MiB`, `120 GiB`. */
export function sizeText(bytes: number): string {
  let value = bytes / 2 ** 20
  if (value < 1) return 'less than 1 MiB'
  let unit = 0
  while (unit < units.length - 1 && value >= 1_000) {
    value /= 1024
    unit += 1
  }
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ${units[unit]}`
}
