// Settings of oauth2-proxy's cookie with which a session would reach applications, or no browser would keep it. Pure.

type Environment = Readonly<Record<string, string | undefined>>

/** @returns why the gateway must not start, a sentence each */
export function cookieFaults(args: readonly string[], env: Environment): readonly string[] {
  const faults: string[] = []
  if (args.some((arg) => /^--?cookie-name(=|$)/.test(arg)))
    faults.push(
      'set the name of the cookie by OAUTH2_PROXY_COOKIE_NAME, not by --cookie-name: the director has to know it, to keep the session from applications',
    )
  const value = (name: string): string => env[`OAUTH2_PROXY_COOKIE_${name}`] ?? ''
  const isSecure = !/^(false|0|f)$/i.test(value('SECURE'))
  const name = value('NAME')
  const prefix = /^__(?:host|secure)-/i.exec(name)?.[0].toLowerCase()
  if (prefix !== undefined && !isSecure)
    faults.push(
      `no browser keeps the cookie ${name} with OAUTH2_PROXY_COOKIE_SECURE=false: choose another OAUTH2_PROXY_COOKIE_NAME`,
    )
  if (prefix === '__host-' && value('DOMAINS') !== '')
    faults.push(
      `no browser keeps the cookie ${name} with OAUTH2_PROXY_COOKIE_DOMAINS: choose another OAUTH2_PROXY_COOKIE_NAME, such as __Secure-berth`,
    )
  if (prefix === '__host-' && !['', '/'].includes(value('PATH')))
    faults.push(
      `no browser keeps the cookie ${name} with OAUTH2_PROXY_COOKIE_PATH: leave the path out, or choose another OAUTH2_PROXY_COOKIE_NAME`,
    )
  if (value('SAMESITE').toLowerCase() === 'none' && !isSecure)
    faults.push(
      'no browser keeps a cookie with OAUTH2_PROXY_COOKIE_SAMESITE=none and OAUTH2_PROXY_COOKIE_SECURE=false',
    )
  return faults
}
