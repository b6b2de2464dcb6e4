// Reading requests of the internal API.
import type { Response } from 'express'
import { BerthError } from '@berth/shared/problems'
import { z } from 'zod'
import { plainText } from './plain-text.ts'

/** @throws BerthError `bad_request`, with what is wrong */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new BerthError('bad_request', plainText(z.prettifyError(result.error), 1_000))
}

/** Aborts when the client hangs up before the answer. */
export function hangUpSignal(response: Response): AbortSignal {
  const hangUp = new AbortController()
  if (response.destroyed) hangUp.abort()
  else response.once('close', () => hangUp.abort())
  return hangUp.signal
}
