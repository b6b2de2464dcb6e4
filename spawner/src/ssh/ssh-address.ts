// Where people reach SSH, and the command with which they do. Pure.

export interface SshAddress {
  readonly host: string
  readonly port: number
}

export const usualPort = 22

/** @param text a host name or an address, and a port unless it is 22 */
export function parseSshAddress(text: string): SshAddress | undefined {
  const found = /^([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(\d{1,5}))?$/.exec(text.trim())
  const [, host, digits] = found ?? []
  const port = digits === undefined ? usualPort : Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

/** @returns `undefined` if Berth does not know it, or does not listen for SSH */
export function sshAddressOf(settings: {
  readonly SSH_ADDRESS: SshAddress | undefined
  readonly SSH_PORT: number | undefined
  readonly PUBLIC_URL: string | undefined
}): SshAddress | undefined {
  const { SSH_ADDRESS: told, SSH_PORT: port, PUBLIC_URL: publicUrl } = settings
  if (told !== undefined || port === undefined || publicUrl === undefined) return told
  return { host: new URL(publicUrl).hostname, port }
}

/** What a person types, or pastes into a shell. */
export function sshCommand(user: string, template: string, { host, port }: SshAddress): string {
  const to = `${user}+${template}@${host}`
  const plain = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$/.test(to)
  // After -- a name that begins with a hyphen is no option.
  const target = plain ? to : `-- '${to.replaceAll("'", String.raw`'\''`)}'`
  return port === usualPort ? `ssh ${target}` : `ssh -p ${port} ${target}`
}
