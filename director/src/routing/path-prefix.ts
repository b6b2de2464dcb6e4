// Paths below a prefix, compared byte for byte: below `/lab` are `/lab` and `/lab/…`, but neither `/labs` nor `/%6cab`.

/** @param target path and query of a request */
export function liesBelow(target: string, prefix: string): boolean {
  return target.startsWith(prefix) && (isBare(target, prefix) || target[prefix.length] === '/')
}

/** Whether the path is the prefix itself, without a slash after it. */
export function isBare(target: string, prefix: string): boolean {
  return target.length === prefix.length || target[prefix.length] === '?'
}

/** The path of a target, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** @returns the rest of a target that lies below the prefix; always a path */
export function below(target: string, prefix: string): string {
  if (prefix === '') return target
  const rest = target.slice(prefix.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
