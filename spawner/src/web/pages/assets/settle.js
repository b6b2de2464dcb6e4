// @ts-check
// When a page of the application can be loaded on the machine of the engine.
/** @import { Status } from './feed.js' */

/**
 * How long a browser on the engine's machine should wait until it loads the application. The interface of a container gets
 * its address up to two seconds after the start, and at that moment Chromium aborts all requests that wait for a
 * connection. The page of an application does not repeat them, and stays blank.
 */
export function untilSettled(/** @type {Status} */ { phase, steps }) {
  if (phase !== 'ready' || !/^(localhost|.+\.localhost|127[.].+|\[::1\])$/.test(location.hostname))
    return 0
  const { ms = 2_500 } = steps.find((step) => step.phase === 'probing') ?? {}
  return Math.max(0, 2_500 - ms)
}
