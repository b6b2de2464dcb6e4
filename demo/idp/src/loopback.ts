// Which addresses mean this machine only. The people's passwords are known, so nothing else may be served.

/** `localhost`, any name under it, 127.0.0.0/8 and ::1, as browsers understand them. */
export function isLoopback(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const host = new URL(origin).hostname.replace(/\.$/, '')
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(host)
  )
}
