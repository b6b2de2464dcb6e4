// The HTML of the pages that the director writes itself, without script and with nothing from elsewhere.
import { createHash } from 'node:crypto'

export interface Notice {
  readonly title: string
  readonly paragraphs: readonly string[]
  readonly actions: readonly NoticeAction[]
  /** In small letters at the end. */
  readonly footer?: string
}

export type NoticeAction =
  | { readonly label: string; readonly href: string }
  | {
      readonly label: string
      /** The path that the form posts to. */
      readonly post: string
      readonly fields: Readonly<Record<string, string>>
    }

const style = `
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{max-width:32rem;padding:2rem 1.25rem;overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .75rem}
p{margin:0 0 1rem}
small{opacity:.7}
a{color:LinkText;margin-right:1rem}
button{font:inherit}
`
const styleHash = createHash('sha256').update(style).digest('base64')

/** @param actions a page without a form may send none */
export function noticeHeaders(actions: readonly NoticeAction[]): Readonly<Record<string, string>> {
  // Browsers apply this to the redirects that follow a form as well: to the sign-in, when the session has expired.
  const target = actions.some((action) => 'post' in action) ? 'http: https:' : "'none'"
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action ${target}; frame-ancestors 'none'`,
    // With `no-referrer` browsers would send `Origin: null` with the page's own form.
    'referrer-policy': 'same-origin',
  }
}

export function renderNotice({ title, paragraphs, actions, footer }: Notice): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<div role="alert">
<h1>${escape(title)}</h1>
${paragraphs.map((text) => `<p>${escape(text)}</p>`).join('\n')}
</div>
${actions.map(renderAction).join('\n')}
${footer === undefined ? '' : `<p><small>${escape(footer)}</small></p>`}
</main>
</body>
</html>
`
}

function renderAction(action: NoticeAction): string {
  if ('href' in action) return `<a href="${escape(action.href)}">${escape(action.label)}</a>`
  const fields = Object.entries(action.fields).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  )
  return `<form method="post" action="${escape(action.post)}">${fields.join('')}<button>${escape(action.label)}</button></form>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
