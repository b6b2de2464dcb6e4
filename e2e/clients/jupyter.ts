// A notebook client without a browser: it runs code in a kernel with the same calls as JupyterLab.
import { randomUUID } from 'node:crypto'
import assert from 'node:assert/strict'
import { within } from '../run/deadline.ts'
import { arrive } from './arrival.ts'
import type { Person } from './people.ts'

export interface Kernel {
  readonly id: string
  /** Sends the code to the kernel and disconnects. The kernel continues by itself. */
  leaveComputing(code: string): Promise<void>
}

export async function startKernel(person: Person): Promise<Kernel> {
  // The page sets the cookie that the calls must send.
  const page = await arrive(person, '/lab')
  page.leave()
  const token = /_xsrf=([^;]+)/.exec(person.jar.header(new URL('/', person.site.origin)))?.[1]
  assert.ok(token, 'JupyterLab gives a token against forged requests')
  const answer = await person.ask('/api/kernels', {
    method: 'POST',
    body: JSON.stringify({ name: 'python3' }),
    headers: { 'content-type': 'application/json', 'x-xsrftoken': token },
  })
  assert.equal(answer.status, 201)
  const { id } = await answer.json<{ id: string }>()
  return {
    id,
    async leaveComputing(code) {
      const socket = await person.webSocket(`/api/kernels/${id}/channels`)
      socket.send(JSON.stringify(executeRequest(code)))
      await within(
        30_000,
        'the kernel has taken the code',
        untilTaken(() => socket.next(30_000)),
      )
      socket.close()
      await socket.ended
    },
  }
}

async function untilTaken(next: () => Promise<string>): Promise<void> {
  for (;;) {
    const message = JSON.parse(await next()) as { msg_type?: string }
    if (message.msg_type === 'execute_input') return
  }
}

function executeRequest(code: string): unknown {
  return {
    header: {
      msg_id: randomUUID(),
      msg_type: 'execute_request',
      session: randomUUID(),
      username: '',
      version: '5.3',
      date: new Date().toISOString(),
    },
    parent_header: {},
    metadata: {},
    content: {
      code,
      silent: false,
      store_history: false,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    },
    channel: 'shell',
    buffers: [],
  }
}
