// A field of a form that Express has parsed.
import type { Request } from 'express'

export function formField(request: Request, name: string): unknown {
  const body: unknown = request.body
  if (typeof body !== 'object' || body === null) return undefined
  return Object.entries(body).find(([field]) => field === name)?.[1]
}
