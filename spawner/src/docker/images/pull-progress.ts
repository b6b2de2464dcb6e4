// The progress of a pull in per cent, from the engine's progress lines. Pure. It never falls and never reaches 100.
import { z } from 'zod'

const lineSchema = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z.object({ current: z.number(), total: z.number() }).partial().optional(),
  error: z.string().optional(),
})
export type PullLine = z.infer<typeof lineSchema>

/** @returns `undefined` for a line in another format */
export function parsePullLine(text: string): PullLine | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

interface Layer {
  readonly total: number
  readonly downloaded: number
  readonly extracted: number
}

/** The download usually takes longer than the extraction. */
const downloadShare = 0.7

export interface PullProgress {
  /** @returns the per cent so far, 0 to 99 */
  heard(line: PullLine): number
}

export function createPullProgress(): PullProgress {
  const layers = new Map<string, Layer>()
  let best = 0
  return {
    heard(line) {
      const { id, status } = line
      if (id !== undefined && status !== undefined) {
        const next = nextLayer(layers.get(id), status, line.progressDetail)
        if (next !== undefined) layers.set(id, next)
      }
      best = Math.max(best, Math.min(99, Math.floor(fraction([...layers.values()]) * 100)))
      return best
    },
  }
}

const untouched: Layer = { total: 0, downloaded: 0, extracted: 0 }

/** @returns `undefined` for lines that are not about a download: "Pulling from library/debian", "Already exists" */
function nextLayer(
  layer: Layer | undefined,
  status: string,
  detail: PullLine['progressDetail'],
): Layer | undefined {
  const before = layer ?? untouched
  const total = detail?.total !== undefined && detail.total > 0 ? detail.total : before.total
  const part = total > 0 ? Math.min(1, (detail?.current ?? 0) / total) : 0
  switch (status) {
    case 'Pulling fs layer':
    case 'Waiting':
      return before
    case 'Downloading':
      return { ...before, total, downloaded: Math.max(before.downloaded, part) }
    case 'Verifying Checksum':
    case 'Download complete':
      return { ...before, downloaded: 1 }
    case 'Extracting':
      // This total counts extracted bytes: it tells the progress, not the size of the layer.
      return { ...before, downloaded: 1, extracted: Math.max(before.extracted, part) }
    case 'Pull complete':
      return { ...before, downloaded: 1, extracted: 1 }
    default:
      return undefined
  }
}

/** A layer of unknown size counts as much as the mean of the known sizes. */
function fraction(layers: readonly Layer[]): number {
  const known = layers.filter((layer) => layer.total > 0)
  const mean =
    known.length === 0 ? 1 : known.reduce((sum, layer) => sum + layer.total, 0) / known.length
  let weight = 0
  let done = 0
  for (const layer of layers) {
    const own = layer.total > 0 ? layer.total : mean
    weight += own
    done += own * (layer.downloaded * downloadShare + layer.extracted * (1 - downloadShare))
  }
  return weight === 0 ? 0 : done / weight
}
