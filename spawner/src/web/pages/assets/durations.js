// @ts-check
// Durations as text, the same as in durations.ts, which has the comments.

/** @param {number} ms */
export function clockText(ms) {
  const seconds = Math.floor(ms / 1_000)
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) =>
    String(part).padStart(2, '0'),
  )
  const hours = Math.floor(seconds / 3_600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '')
}

/** @param {number} ms */
export function spanText(ms) {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 59_500
    ? `${Math.round(ms / 1_000)} s`
    : `${clockText(Math.round(ms / 1_000) * 1_000)} min`
}

/** @param {number} ms */
export function estimateText(ms) {
  if (ms < 10_000) return 'a few seconds'
  if (ms < 50_000) return 'less than a minute'
  const minutes = Math.round(ms / 60_000)
  if (minutes < 100) return minutes === 1 ? 'about a minute' : `about ${minutes} minutes`
  return `about ${Math.round(ms / 3_600_000)} hours`
}

/** @param {number} ms */
export function leftText(ms) {
  if (ms <= 0) return 'any moment now'
  if (ms < 50_000) return 'in less than a minute'
  const minutes = Math.round(ms / 60_000)
  if (minutes < 100) return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`
  const hours = Math.round(ms / 3_600_000)
  return hours < 48 ? `in ${hours} hours` : `in ${Math.round(hours / 24)} days`
}

/** @param {number} ms */
export function ageText(ms) {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return '< 1 min'
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}
