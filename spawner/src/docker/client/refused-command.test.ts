import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { reasonFor } from './refused-command.ts'

const runc =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: '

describe('a container that the engine does not start', () => {
  for (const [message, words] of [
    [
      'unable to find user ghost: no matching entries in passwd file',
      ': the image has no user or group ghost.',
    ],
    [
      'unable to find group ghosts: no matching entries in group file',
      ': the image has no user or group ghosts.',
    ],
    [
      `${runc}exec: "gunicorn": executable file not found in $PATH: unknown`,
      ': the image has no program gunicorn, which its command names.',
    ],
    [
      `${runc}exec: "/app/run": stat /app/run: no such file or directory: unknown`,
      ': the image has no program /app/run, which its command names.',
    ],
    [
      `${runc}exec: "/entry.sh": permission denied: unknown`,
      ': the file /entry.sh, which the command of the image names, is not executable.',
    ],
    [
      `${runc}exec: "/app": is a directory: unknown`,
      ': /app, which the command of the image names, is a folder.',
    ],
    [
      'error gathering device information while adding custom device "/dev/nosuch": no such file or directory',
      ': the server has no device /dev/nosuch, which the template names.',
    ],
    [
      'could not select device driver "" with capabilities: [[gpu]]',
      ': the server offers containers no GPU, and the template wants one.',
    ],
    [
      'unknown or invalid runtime name: kata',
      ': the server has no runtime kata, which the template names.',
    ],
    ['no command specified', ': neither the image nor its template says which command to run.'],
  ] as const)
    it(`is explained: ${words}`, () => {
      assert.equal(reasonFor(message), words)
    })

  it('is not guessed at', () => {
    for (const message of [
      '"/x": permission denied',
      'permission denied',
      'no such file or directory',
      `${runc}mount: x`,
      '',
    ])
      assert.equal(reasonFor(message), undefined)
  })
})
