// Paths below a prefix, byte for byte as they came: `/lab` has `/lab` and `/lab/…`, but neither `/labs` nor `/%6cab`.

/** @param target path and query of a request */
export function liesBelow(target: string, prefix: string): boolean {
  return target.startsWith(prefix) && (isBare(target, prefix) || target[prefix.length] === '/')
}

/** The prefix itself, without the slash behind it. */
export function isBare(target: string, prefix: string): boolean {
  return target.length === prefix.length || target[prefix.length] === '?'
}

/** @returns what is left of a target that lies below the prefix: a path in any case */
export function below(target: string, prefix: string): string {
  if (prefix === '') return target
  const rest = target.slice(prefix.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
