// An address at which the application `hello` answers as a test wishes.

/** hello answers with what the address contains. */
export function rawPath(type: string, body: string): string {
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nConnection: close\r\n\r\n${body}`
  return `/raw?base64=${encodeURIComponent(Buffer.from(answer).toString('base64'))}`
}
