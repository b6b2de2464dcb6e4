// Reads a stream of bytes as lines of text, each of bounded length. Leaving the loop ends the stream.

const maxLineLength = 1024 * 1024

/** @throws RangeError for a line that is too long, and the errors of the stream */
export async function* readLines(
  stream: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxLineLength)
      throw new RangeError('the engine sent a line of more than 1 MiB')
    for (const line of lines) if (line.trim() !== '') yield line
  }
  if (rest.trim() !== '') yield rest
}
