// The rules for the text of each field of a template. They are the same for environment, file and labels of images.
import { longestMs, type QuietFrames } from '@berth/shared/contract'
import { formatDuration, parseDuration } from '@berth/shared/duration'
import { parsePrefix } from '@berth/shared/names'
import { parseNetwork } from '@berth/shared/networks'
import {
  custom,
  durationThat,
  integer,
  isPadded,
  notPadded,
  pattern,
  type Parse,
} from '@berth/shared/parse'
import { parseSize } from '@berth/shared/size'
import { parseCommand } from './command-words.ts'
import { isImageReference } from './image-reference.ts'
import { addressPlaceholders, placeholderComplaint, usesPlaceholder } from './placeholders.ts'
import { isOfKernel, mountPathComplaint, volumeNameComplaint } from './volume-list.ts'

/** Accepts the text unchanged unless there is a complaint about it. */
const checked =
  (complaintOf: (text: string) => string | undefined): Parse<string> =>
  (text) => {
    const complaint = complaintOf(text)
    return complaint === undefined ? { value: text } : { complaint }
  }

export const image = custom(
  (text) => (isImageReference(text) ? text : undefined),
  'is not the name of an image, such as registry.example.com/team/app:1',
)

/** A reference in which `*` stands for any characters except `/`. The engine lists images by name and tag only. */
export const imagePattern = checked((text) => {
  if (/@|^sha256:[0-9a-f]{64}$/.test(text))
    return 'names a digest, and images are admitted by name: write the name and tag, such as berth/hello:1, or describe the image in TEMPLATES_FILE, which takes a digest'
  return /^[a-z0-9*][\w.:/*-]{0,511}$/.test(text)
    ? undefined
    : 'is not the name of an image; * may stand for any part of it'
})

export const prefix = custom(
  parsePrefix,
  'must be a letter, then letters and digits, lower case, at most 20',
)

/** The engine accepts no greater id. */
const maxId = 2 ** 31 - 1

export const user = checked((text) => {
  if (!/^[a-zA-Z0-9_][\w.-]*(:[a-zA-Z0-9_][\w.-]*)?$/.test(text))
    return 'is not a user such as 1000:1000'
  return text.split(':').some((part) => /^\d+$/.test(part) && Number(part) > maxId)
    ? `has an id above ${maxId}, which no engine accepts`
    : undefined
})

/** By which somebody signs in. No id, and no group beside it. */
export const loginName = pattern(
  /^(?!\d+$)[a-zA-Z0-9_][\w.-]{0,63}$/,
  'must be the name of a user, such as dev',
)

const signalName =
  /^((SIG)?(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR[12]|VTALRM|WINCH|XCPU|XFSZ|RTMIN(\+([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)|[1-9]|[1-5]\d|6[0-4])$/

/** Those of Linux, by name or number: the engine knows no others. */
export const signal = custom((text) => {
  const name = text.toUpperCase()
  return signalName.test(name) ? name : undefined
}, 'is not a signal such as SIGTERM')

export const urlPath = pattern(/^\/[\x21-\x7e]{0,1023}$/, 'must be a path that begins with /')

/** Where a person is led from `/`. A browser sends no `#…`, so from there alone it would be led to `/` again and again. */
export const openPath: Parse<string> = (text) => {
  const result = urlPath(text)
  if ('complaint' in result) return result
  if (/^\/[/\\]/.test(text)) return { complaint: 'must begin with one slash' }
  if (/^\/(#|$)/.test(text))
    return { complaint: 'must differ from / before the #, such as /vnc.html or /?view=1' }
  if (/^\/\.berth(\/|$)/.test(text)) return { complaint: 'is reserved for Berth' }
  const complaint = placeholderComplaint(text, addressPlaceholders)
  return complaint === undefined ? { value: text } : { complaint }
}

export const network = custom(parseNetwork, 'must be an address, or a network such as 192.0.2.0/24')

/** A text of one line that people read. */
export const words = pattern(/^[^\p{Cc}\p{Zl}\p{Zp}]{0,1024}$/u, 'must be one line of text')

export const icon = checked((text) =>
  /^(https?:\/\/[^\s]+|data:image\/[a-z+.-]+[;,][^\s]+)$/.test(text) &&
  URL.canParse(text) &&
  text.length <= 65_536
    ? undefined
    : 'must be a URL of http or https, or a data URL of an image',
)

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
export const host: Parse<string> = (text) => {
  const lower = text.toLowerCase()
  return new RegExp(`^(\\*\\.)?${label}(\\.${label})*$`).test(lower) && lower.length <= 253
    ? { value: lower }
    : { complaint: 'must be a host name without port, or *. and one' }
}

/** Braces have a meaning only as a whole segment: the browser would encode any other. */
const bracesComplaint = (path: string): string | undefined =>
  /[{}]/.test(path.replace(/(?<=\/)\{\w+\}(?=\/|$)/g, ''))
    ? 'has braces that are not a segment of their own, such as /api/kernels/{id}'
    : undefined

export const backgroundRequest = checked((text) =>
  /^([A-Z]+|\*) \/\S*$/.test(text)
    ? bracesComplaint(text)
    : 'is not a method and a path such as GET /api/*',
)

export const pathPattern = checked((text) =>
  /^[/*]\S{0,1023}$/.test(text)
    ? bracesComplaint(text)
    : 'must be a path, in which * may stand for anything, such as /socket.io/*',
)

/** Of bytes such as 0x03. */
const hexOf = (text: string): string | undefined =>
  /^0x((?:[0-9a-f]{2})+)$/i.exec(text)?.[1]?.toLowerCase()
const isShort = (hex: string): boolean => hex.length > 0 && hex.length <= 128
const shortMessage = 'must be a text of 1 to 64 bytes, or bytes such as 0x03'

/** Of a text, or of bytes. @returns the bytes in hexadecimal */
export const framePrefix = custom((text) => {
  const hex = hexOf(text) ?? Buffer.from(text).toString('hex')
  return isShort(hex) ? hex : undefined
}, shortMessage)

/** A text and bytes are different messages. */
export const heartbeat = custom((text): QuietFrames['answers'] => {
  const hex = hexOf(text)
  if (!isShort(hex ?? Buffer.from(text).toString('hex'))) return undefined
  return hex === undefined ? text : { hex }
}, shortMessage)

/** Of a body or a frame. */
export const bytes = custom((text) => {
  const value = parseSize(text)
  return value !== undefined && value <= 2 ** 30 ? value : undefined
}, 'must be a size of at most 1g, such as 60 (bytes) or 4k')

export const homePath = checked(mountPathComplaint)

/** A path in the container without placeholders: braces in it have no meaning. */
export const plainPath = pattern(
  /^(\/(?!\.{1,2}(\/|$))[^/:,{}\p{Cc}]+)+$/u,
  'must be an absolute path in the container, such as /tmp, without placeholders',
)

/** The path of a program in the container, or its name. */
export const program = pattern(
  /^[A-Za-z0-9_./+-]{1,256}$/,
  'must be the path or the name of a program in the container, such as /bin/bash',
)

/** The name of a variable of the container. Programs read names with dots and dashes, too. */
export const variableName = pattern(/^[^\s=\p{Cc}]+$/u, 'is not the name of a variable')

const secretPath = /^(\/(?!\.{1,2}(\/|$))[^/:,{}\p{Cc}]+)+$/u

/** A text without placeholders: braces in it have no meaning. */
export const secretTarget = checked((path) => {
  if (!secretPath.test(path))
    return 'must be the path of a file in the container, such as /run/secrets/key, without placeholders'
  return isOfKernel(path) || /^\/dev\//.test(path)
    ? 'is in a folder of the kernel, where no file can be put'
    : undefined
})

export const homeVolume = checked(
  (name) =>
    volumeNameComplaint(name) ??
    (usesPlaceholder(name, 'user', 'workspace')
      ? undefined
      : 'must contain {user}, or people would share one home'),
)

export const nonEmpty = checked((text) => (text.trim() === '' ? 'is empty' : undefined))

/** The value of a variable of the container, or a word of its command. */
export const withPlaceholders = checked((text) => placeholderComplaint(text))

export const command: Parse<readonly string[]> = (text) => {
  const value = parseCommand(text)
  if (value === undefined)
    return { complaint: 'has an open quote, or is not a JSON array of texts' }
  const complaint = placeholderComplaint(text.startsWith('[') ? value.join(' ') : text)
  return complaint === undefined ? { value } : { complaint }
}

export const longest = '366d'

export const period = (shortest: string, most: string = longest): Parse<number> => {
  const [from = 0, to = longestMs] = [parseDuration(shortest), parseDuration(most)]
  return durationThat((ms) => ms >= from && ms <= to, `from ${shortest} to ${most}`)
}

/** Zero: off. */
const periodOrOff = (shortestMs: number): Parse<number> =>
  durationThat(
    (ms) => ms === 0 || (ms >= shortestMs && ms <= longestMs),
    `from ${formatDuration(shortestMs)} to ${longest}, or 0 for off`,
  )

/** A shorter idle step would end before a director has reported any activity. */
export const idleStep = periodOrOff(2_000)

/** Zero: no limit. An engine accepts no less than 6 MiB for a container. */
export const memory: Parse<number> = (text) => {
  const value = parseSize(text)
  return value === 0 || (value !== undefined && value >= 6 * 1024 ** 2)
    ? { value }
    : { complaint: 'must be a size of at least 6m, or 0 for no limit' }
}

export const size = custom(parseSize, 'must be a size such as 64m, or 0 for the default')

const decimal = (min: number, max: number): Parse<number> =>
  custom((text) => {
    const value = /^(\d+(\.\d*)?|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  }, `must be a number from ${min} to ${max}`)

/** An engine accepts no less than 0.01. It treats a number that it rounds to zero as no limit. */
export const cpus: Parse<number> = (text) => {
  if (isPadded(text)) return { complaint: notPadded }
  const result = decimal(0, 4096)(text)
  return 'value' in result && (result.value === 0 || result.value >= 0.01)
    ? result
    : { complaint: 'must be a number from 0.01 to 4096, or 0 for no limit' }
}
export const pids = integer(0, 4_194_304)
/** A number of people or workspaces. Zero: no limit. */
export const count = integer(0, 100_000)
/** Per cent of one processor. */
export const cpuPercent = decimal(0, 409_600)

/** An absolute path of the engine's host in its plain form: no `..`, no `//`, no `/` at its end. */
export const hostFolder = pattern(
  /^\/$|^(\/(?!\.{1,2}(\/|$))[^/:,\n]+)+$/,
  'must be an absolute path without .. in it, and no / at its end',
)

/** The exact name of a person or a group, without blanks around it. */
/** A person or a group. The gateway separates groups by commas, and the director refuses a person with one. */
export const personName = pattern(
  /^(?!\s)[^\p{Cc},]{1,256}(?<!\s)$/u,
  'is not a name: it has no comma, no control character and no blank at its ends',
)

/** `/lab`: only characters that a URL does not encode. */
export const routePath: Parse<string> = (text) => {
  const isPlain = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/.test(text) && text.length <= 256
  if (!isPlain) return { complaint: 'must be a path such as /lab, without / at its end' }
  return /^\/(\.berth|oauth2)(\/|$)/.test(text)
    ? { complaint: 'is reserved for Berth and the gateway' }
    : { value: text }
}
