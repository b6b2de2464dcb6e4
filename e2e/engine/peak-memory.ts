// The most memory that the processes of a container ever had resident, as the kernel kept it: no sample can miss it.
import { readFile } from 'node:fs/promises'
import type { Engine } from './engine.ts'

/** Sum over its processes. */
export async function peakMemoryBytes(engine: Engine, id: string): Promise<number> {
  const { Titles, Processes } = await engine.get<{ Titles: string[]; Processes: string[][] }>(
    `/containers/${id}/top`,
  )
  const column = Titles.indexOf('PID')
  const peaks = Processes.map(async (line) => {
    const status = await readFile(`/proc/${line[column]}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  })
  return (await Promise.all(peaks)).reduce((sum, bytes) => sum + bytes, 0)
}
