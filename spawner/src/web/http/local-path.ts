// Checks an address that a page may link or redirect to: it must be a path of this origin. Pure.

const limit = 8192
const anywhere = 'http://origin.invalid'
/** Browsers drop tabs and line breaks and treat a backslash as a slash, so a path must not contain these. */
const forbidden = /[\u0000-\u001f\u007f\\]/

/** @returns the text unchanged, or `undefined` if a browser would leave this origin for it */
export function localPath(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > limit) return undefined
  if (!text.startsWith('/') || text.startsWith('//') || forbidden.test(text)) return undefined
  if (!URL.canParse(text, anywhere)) return undefined
  return new URL(text, anywhere).origin === anywhere ? text : undefined
}

/** The page that shows the status of a workspace without starting it, and then leads to `to`. */
export function standstillPath(base: string, to: string): string {
  return `${base}/.berth/?to=${encodeURIComponent(to)}`
}
