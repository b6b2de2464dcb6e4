// The modes of a client's terminal (RFC 4254, section 8) as words of stty(1). Pure.
import type { TerminalModes } from 'ssh2'

/** Characters that the terminal acts on. */
const characters: Readonly<Record<string, string>> = {
  VINTR: 'intr',
  VQUIT: 'quit',
  VERASE: 'erase',
  VKILL: 'kill',
  VEOF: 'eof',
  VEOL: 'eol',
  VEOL2: 'eol2',
  VSTART: 'start',
  VSTOP: 'stop',
  VSUSP: 'susp',
  VREPRINT: 'rprnt',
  VWERASE: 'werase',
  VLNEXT: 'lnext',
}
const flags: ReadonlySet<string> = new Set([
  ...['IGNPAR', 'PARMRK', 'INPCK', 'ISTRIP', 'INLCR', 'IGNCR', 'ICRNL', 'IUCLC', 'IXON', 'IXANY'],
  ...['IXOFF', 'IMAXBEL', 'IUTF8', 'ISIG', 'ICANON', 'ECHO', 'ECHOE', 'ECHOK', 'ECHONL', 'NOFLSH'],
  ...[
    'TOSTOP',
    'IEXTEN',
    'ECHOCTL',
    'ECHOKE',
    'OPOST',
    'OLCUC',
    'ONLCR',
    'OCRNL',
    'ONOCR',
    'ONLRET',
  ],
])
const isOff = 255

export function sttyWords(modes: TerminalModes | undefined): string[] {
  return Object.entries((modes ?? {}) as Readonly<Record<string, unknown>>).flatMap(
    ([name, value]) => {
      if (typeof value !== 'number') return []
      if (flags.has(name)) return [`${value === 0 ? '-' : ''}${name.toLowerCase()}`]
      const character = characters[name]
      if (character === undefined || value < 0 || value > isOff) return []
      // Of one digit it would be the character itself.
      return [character, value === isOff ? 'undef' : String(value).padStart(3, '0')]
    },
  )
}
