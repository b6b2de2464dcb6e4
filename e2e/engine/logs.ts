// What a container has written to its two outputs.
import type { Engine } from './engine.ts'

/** @param tail how many lines, from the end */
export async function logsOf(
  engine: Engine,
  id: string,
  tail: number | 'all' = 200,
): Promise<string> {
  const query = { stdout: true, stderr: true, timestamps: false, tail }
  return withoutFrames(await engine.text(`/containers/${id}/logs`, query))
}

/** The engine frames the two outputs of a container: 8 bytes, of which the last 4 are a length. */
function withoutFrames(bytes: Buffer): string {
  const parts: Buffer[] = []
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4)
    parts.push(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(parts).toString('utf8')
}
