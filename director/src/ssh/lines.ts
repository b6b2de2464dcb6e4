// Lines of a stream, as they are completed. Pure.
const longestLine = 4_096

/** @param heard called with each line, without its end */
export function createLineReader(heard: (line: string) => void): (bytes: Buffer) => void {
  let rest = ''
  return (bytes) => {
    const lines = (rest + bytes.toString()).split('\n')
    rest = (lines.pop() ?? '').slice(0, longestLine)
    for (const line of lines) heard(line)
  }
}
