// Durations as text for people. The script of the pages writes them in the same way.

/** `0:07`, `2:05`, `1:02:05`. */
export function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) =>
    String(part).padStart(2, '0'),
  )
  const hours = Math.floor(seconds / 3_600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '')
}

/** `0.4 s`, `12 s`, `2:05 min`. */
export function spanText(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 59_500
    ? `${Math.round(ms / 1_000)} s`
    : `${clockText(Math.round(ms / 1_000) * 1_000)} min`
}

/** An estimate, rounded to what is known: `less than a minute`, `about 2 minutes`, `about 3 hours`. */
export function estimateText(ms: number): string {
  if (ms < 10_000) return 'a few seconds'
  if (ms < 50_000) return 'less than a minute'
  const minutes = Math.round(ms / 60_000)
  if (minutes < 100) return minutes === 1 ? 'about a minute' : `about ${minutes} minutes`
  const hours = Math.round(ms / 3_600_000)
  return `about ${hours} hours`
}

/** How long until a moment: `in 12 minutes`. */
export function leftText(ms: number): string {
  if (ms <= 0) return 'any moment now'
  if (ms < 50_000) return 'in less than a minute'
  const minutes = Math.round(ms / 60_000)
  if (minutes < 100) return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`
  const hours = Math.round(ms / 3_600_000)
  return hours < 48 ? `in ${hours} hours` : `in ${Math.round(hours / 24)} days`
}

/** How long something has lasted, in the cell of a table: `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return '< 1 min'
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A duration from a setting: `30 minutes`, `2 hours`. */
export function longText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  if (minutes % 60 !== 0) return minutes === 1 ? 'a minute' : `${minutes} minutes`
  return minutes === 60 ? 'an hour' : `${minutes / 60} hours`
}

/** UTC, to the minute, for browsers without script: the server knows neither the time zone nor the language of the
 * person. */
export function utcText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`
}
