// A field of a form that Express has parsed.
import type { Request } from 'express'

export function formField(request: Request, name: string): unknown {
  const body: unknown = request.body
  if (typeof body !== 'object' || body === null) return undefined
  return Object.entries(body).find(([field]) => field === name)?.[1]
}

/** The text of a field; empty if the form has none, or more than one of that name. */
export function textField(request: Request, name: string): string {
  const value = formField(request, name)
  return typeof value === 'string' ? value : ''
}
