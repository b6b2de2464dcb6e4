// A path of this origin, from what a client sends as the target of a redirect.
import { beginsLikeHost } from '../identity/check-request.ts'

/** @returns `/` for what is no path, or what a browser would read as another host */
export function localTarget(to: string): string {
  return /^\/[\x21-\x7e]*$/.test(to) && !beginsLikeHost(to) ? to : '/'
}
