// The page: the container's hostname and its user.
import { hostname, userInfo } from 'node:os'
import { sendJson, sendText, type Exchange } from './exchange.ts'

export function page({ request, response }: Exchange): void {
  request.resume()
  const { username, uid } = userInfo()
  const text = `Hello from ${hostname()}. I run as ${username} (${uid}).`
  if (!(request.headers.accept ?? '').includes('text/html')) {
    sendText(response, 200, `${text}\n`)
    return
  }
  const html = pageHtml(hostname(), text)
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    'cache-control': 'no-store',
  })
  response.end(html)
}

export function whoami({ response }: Exchange): void {
  const { username, uid, gid, homedir } = userInfo()
  sendJson(response, 200, { hostname: hostname(), username, uid, gid, homedir, pid: process.pid })
}

function pageHtml(title: string, text: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>body{font:1.125rem/1.5 system-ui,sans-serif;max-width:40rem;margin:12vh auto;padding:0 1rem;overflow-wrap:anywhere}</style>
<h1>Hello</h1>
<p id="who">${escapeHtml(text)}</p>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
