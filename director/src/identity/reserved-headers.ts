// Header names that only the gateway and the director may set. A client's values for them are never trusted.

const reserved: ReadonlySet<string> = new Set(['forwarded', 'x-real-ip'])
const reservedPrefixes = ['x-forwarded-', 'x-auth-request-', 'gap-', 'berth-'] as const

/** @param name lower case */
export function isReservedHeader(name: string): boolean {
  return reserved.has(name) || reservedPrefixes.some((prefix) => name.startsWith(prefix))
}
