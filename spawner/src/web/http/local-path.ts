// A place that a page may lead back to: a path of this origin and nothing else. Pure.

const limit = 8192
const anywhere = 'http://origin.invalid'
/** Browsers drop tabs and line breaks and take a backslash for a slash: none of these may stand in it. */
const forbidden = /[\u0000-\u001f\u007f\\]/

/** @returns the text as it is, or `undefined` where a browser would leave this origin for it */
export function localPath(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > limit) return undefined
  if (!text.startsWith('/') || text.startsWith('//') || forbidden.test(text)) return undefined
  if (!URL.canParse(text, anywhere)) return undefined
  return new URL(text, anywhere).origin === anywhere ? text : undefined
}

/** Where a person is told how things stand and nothing is started; from there the way leads on to `to`. */
export function standstillPath(base: string, to: string): string {
  return `${base}/.berth/?to=${encodeURIComponent(to)}`
}
