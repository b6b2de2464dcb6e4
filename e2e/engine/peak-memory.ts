// The peak of the private resident memory of a process in a container, as the kernel records it, so that no sample can
// miss it. Pages of files (the binary's, shared by all that run it) do not count, as in `docker stats`.
import { readFile } from 'node:fs/promises'
import type { Engine } from './engine.ts'

/** Of the largest process, so that a health check is not measured. */
export async function peakMemoryBytes(engine: Engine, id: string): Promise<number> {
  const { Titles, Processes } = await engine.get<{ Titles: string[]; Processes: string[][] }>(
    `/containers/${id}/top`,
  )
  const column = Titles.indexOf('PID')
  const peaks = Processes.map(async (line) => {
    const status = await readFile(`/proc/${line[column]}/status`, 'utf8')
    const kilobytes = (field: string) =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN)
    return (kilobytes('VmHWM') - kilobytes('RssFile')) * 1024
  })
  return Math.max(...(await Promise.all(peaks)))
}
