// The spawner's side of a session, with a process of this machine in place of one in a container.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { sessionOrderSchema } from '@berth/shared/contract'
import { encodeNumber, frameTypes } from '@berth/shared/session-frames'
import { createSessionLink } from '@berth/shared/session-link'

export function runLocally(socket: Duplex, head: Buffer): void {
  let child: ChildProcessWithoutNullStreams | undefined
  const link = createSessionLink(socket, head, {
    data: (_type, bytes) =>
      new Promise((resolve) => {
        if (child === undefined || !child.stdin.writable) return resolve()
        child.stdin.write(bytes, () => resolve())
      }),
    control(type, payload) {
      if (type === frameTypes.order) begin(payload)
      if (type === frameTypes.inputEnd) child?.stdin.end()
      if (type === frameTypes.signal && child?.pid !== undefined)
        process.kill(-child.pid, `SIG${payload.toString()}`)
    },
    // With everything that it has begun.
    closed: () => {
      if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
    },
  })

  function begin(payload: Buffer): void {
    const order = sessionOrderSchema.parse(JSON.parse(payload.toString()))
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...order.environment }
    const { purpose } = order
    // No tools here: a program of this machine stands for each.
    const [program = 'sh', ...words] = {
      shell: ['sh'],
      command: ['sh', '-c', purpose.type === 'command' ? purpose.command : ''],
      files: ['cat'],
      connect: ['false'],
      listen: ['false'],
      join: ['false'],
    }[purpose.type]
    const running = spawn(program, words, { env, detached: true })
    child = running
    running.stdin.on('error', () => undefined)
    link.send(frameTypes.opened)
    const passed = [
      [running.stdout, frameTypes.output],
      [running.stderr, frameTypes.errors],
    ].map(async ([stream, type]) => {
      for await (const chunk of stream as AsyncIterable<Buffer>)
        await link.write(type as typeof frameTypes.output, chunk)
    })
    running.on('exit', (code) => {
      void Promise.all(passed).then(() => {
        link.send(frameTypes.exit, encodeNumber(code ?? 255))
        link.end()
      })
    })
  }
}
