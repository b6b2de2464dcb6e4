// The only inline script of the pages. If a page's own script cannot be loaded, the page loads itself again as it does in a
// browser without script. Browsers abort what they load when the machine gets another network interface.
import { createHash } from 'node:crypto'

/**
 * The same text on every page, so that one hash allows it: `data-refresh` of the script that failed says what to do. It does
 * not insert a `<meta>`: Chromium did not load an address with a fragment again for one.
 */
export const scriptGuard =
  "addEventListener('error',({target})=>{const refresh=target.dataset?.refresh;if(!refresh)return;" +
  "const [seconds,url]=refresh.split(';url=');" +
  'setTimeout(()=>{if(url)location.replace(url);else location.reload()},seconds*1000)},true)'

/** For `script-src`. */
export const scriptGuardSource = `'sha256-${createHash('sha256').update(scriptGuard).digest('base64')}'`
