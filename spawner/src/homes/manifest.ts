// What is written beside the archive of a home: whose it is, and by what its archive is recognised. Pure.
import { z } from 'zod'

export const manifestSchema = z.object({
  format: z.literal('berth-home'),
  version: z.literal(1),
  instance: z.string().min(1),
  volume: z.string().min(1),
  /** Absent for a volume that several people share. */
  user: z.string().min(1).optional(),
  subject: z.string().optional(),
  takenAt: z.string(),
  /** `running`: files may have changed while they were copied. */
  state: z.enum(['unused', 'frozen', 'running']),
  /** Of the archive. */
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the tar inside. */
  unpackedBytes: z.number().int().positive(),
})

export type Manifest = z.infer<typeof manifestSchema>

export const archiveName = (volume: string): string => `${volume}.tar.zst`
export const manifestName = (volume: string): string => `${volume}.json`

/** @throws Error that says what is wrong with the text */
export function parseManifest(text: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new Error('it is not a manifest of a home: no JSON')
  }
  const parsed = manifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Error(`it is not a manifest of a home: ${issue?.path.join('.')} ${issue?.message}`)
}

/** The same volume in another instance: the template names volumes by the instance. */
export function targetOf({ volume, instance }: Manifest, into: string): string {
  return volume.startsWith(`${instance}-`) ? `${into}${volume.slice(instance.length)}` : volume
}
