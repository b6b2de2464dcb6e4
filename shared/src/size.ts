// Sizes in the notation of Docker (`512m`, `2g`) and in binary units (`512MiB`), as bytes.

const factor: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
}

/**
 * Parses `512m`, `2g`, `512MiB`, `1.5GB` (units are powers of 1024, as Docker has them); `0` means off.
 *
 * @returns whole bytes; `undefined` when the text is not a size
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim())
  if (match === null) return undefined
  const unit = factor[(match[2] ?? '').toLowerCase()]
  const bytes = unit === undefined ? undefined : Math.round(Number(match[1]) * unit)
  // JSON has no larger exact numbers, and an engine reads a number that it cannot parse as no limit.
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The largest unit of which it is a whole number: `512 MiB`. */
export function formatSize(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (unit < units.length - 1 && value >= 1024 && value % 1024 === 0) {
    value /= 1024
    unit += 1
  }
  return `${value} ${units[unit] ?? ''}`
}
