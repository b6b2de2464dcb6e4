// Security options and capabilities in the form of Compose: what the engine would refuse only at the start of a workspace
// is refused when the file is read. Pure: the caller hands over the files.
import type { Parse, Parsed } from '@berth/shared/parse'
import { nearestWord } from './nearest-word.ts'

const capabilities =
  'ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'.split(
    ' ',
  )

/** With `CAP_` before it or not. */
export const capability: Parse<string> = (written) => {
  const name = written.replace(/^CAP_/, '')
  if (capabilities.includes(name)) return { value: name }
  const nearest = nearestWord(name, capabilities)
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  return { complaint: `is not the name of a capability such as SYS_PTRACE${hint}` }
}

const isTruth = (value: string) => /^(?:1|t|true|0|f|false)$/i.test(value)

/** The options of the engine, and what each may be set to. Whether a profile of AppArmor is loaded, only the host knows. */
const options = new Map<string, (value: string) => boolean>([
  ['apparmor', (value) => value !== ''],
  ['label', (value) => /^(?:disable|nested|(?:user|role|type|level|filetype)[:=]\S+)$/.test(value)],
  ['no-new-privileges', (value) => value === '' || isTruth(value)],
  ['seccomp', (value) => value !== ''],
  ['writable-cgroups', isTruth],
])

export const securityOption: Parse<string> = (written) => {
  const [, name = '', value = ''] = /^([a-z-]+)(?:[=:](\S+))?$/.exec(written) ?? []
  const accepts = options.get(name)
  if (accepts?.(value)) return { value: written }
  if (accepts !== undefined) return { complaint: `has a value that ${name} cannot have` }
  const names = [...options.keys()]
  const nearest = nearestWord(name, names)
  const hint = nearest === undefined ? `; it has ${names.join(', ')}` : `; did you mean ${nearest}?`
  return { complaint: `is not a security option of the engine${hint}` }
}

/** `seccomp=…` with a profile that the engine has to be sent: the engine does not read files. */
const profile = /^seccomp[=:](?!unconfined$|builtin$)(.+)$/

/** @param readBeside the text of a file beside the templates file; throws if the file cannot be read */
export function readSecurityOption(
  written: string,
  readBeside: (path: string) => string,
): Parsed<string> {
  const path = profile.exec(written)?.[1]
  if (path === undefined) return { value: written }
  let text: string
  try {
    text = readBeside(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { complaint: `"${path}" cannot be read: ${reason}` }
  }
  try {
    const content: unknown = JSON.parse(text)
    if (typeof content === 'object' && content !== null && 'defaultAction' in content)
      return { value: `seccomp=${JSON.stringify(content)}` }
  } catch {
    // The same complaint as about JSON of another form.
  }
  return { complaint: `"${path}" is not a seccomp profile: JSON with a defaultAction` }
}

/** An option as people read it: without the content of a profile. */
export function shownSecurityOption(option: string): string {
  return option.startsWith('seccomp={') ? 'seccomp with a profile of its own' : option
}
