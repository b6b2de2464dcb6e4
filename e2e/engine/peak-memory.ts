// The peak of the private resident memory of a process in a container, as the kernel records it, so that no sample can
// miss it. Pages of files (the binary's, shared by all that run it) do not count, as in `docker stats`.
import { privatePeak } from '../run/process-memory.ts'
import type { Engine } from './engine.ts'

/** Of the largest process, so that a health check is not measured. */
export async function peakMemoryBytes(engine: Engine, id: string): Promise<number> {
  const { Titles, Processes } = await engine.get<{ Titles: string[]; Processes: string[][] }>(
    `/containers/${id}/top`,
  )
  const column = Titles.indexOf('PID')
  const peaks = Processes.map((line) => privatePeak(Number(line[column])))
  return Math.max(...(await Promise.all(peaks)))
}
