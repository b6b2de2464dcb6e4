// The memory of a process as `docker stats` counts it: without the pages of files, such as the program's, which all that
// run it share. See proc_pid_status(5).
import { readFile } from 'node:fs/promises'

/** Bytes. */
export async function privateMemory(pid: number): Promise<number> {
  const kibibytes = await readStatus(pid)
  return kibibytes('RssAnon') * 1024
}

/** The most that it has taken so far; bytes. */
export async function privatePeak(pid: number): Promise<number> {
  const kibibytes = await readStatus(pid)
  return (kibibytes('VmHWM') - kibibytes('RssFile')) * 1024
}

async function readStatus(pid: number): Promise<(field: string) => number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return (field) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN)
}
