// Which addresses mean this machine only. The passwords are known, so the provider serves no other address.

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
