// Connects to the SSH server in a container, straight to its address, and signs in there. The server is whatever the person
// runs: it may start late, be none, or be another one than before.
import { connect, type Socket } from 'node:net'
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { pause, type SetTimer } from '@berth/shared/timer'
import ssh2, { type Client } from 'ssh2'
import { spawnerUnreachableDetail } from '../listener/seating.ts'
import type { Spawner } from '../spawner/client.ts'
import { serverAlgorithms } from './algorithms.ts'
import type { ClientKey } from './host-keys.ts'
import type { Reached } from './reach.ts'
import { Refused, refusedBy } from './refused.ts'
import { createTurns } from './turns.ts'

export interface ServerSignInDeps {
  readonly spawner: Pick<Spawner, 'checkServer'>
  readonly key: ClientKey
  readonly clock: Clock
  readonly setTimer: SetTimer
  readonly log: Log
  readonly times?: Partial<Times>
}

interface Times {
  /** From the first try until the server listens. */
  readonly listenMs: number
  readonly retryMs: number
  /** One try, from its first packet to the end of the sign-in. */
  readonly signInMs: number
}

const usualTimes: Times = { listenMs: 30_000, retryMs: 250, signInMs: 20_000 }

export interface ServerConnection {
  readonly client: Client
  readonly socket: Socket
}

/** @throws Refused, or what the signal aborts with */
export type SignInAtServer = (reached: Reached, gone: AbortSignal) => Promise<ServerConnection>

/** OpenSSH drops some connections once ten have not signed in (`MaxStartups`), and there may be several directors. */
const mostAtOnce = 3
/** A frozen container answers this, and a vanished one does not. */
const keepAliveMs = 30_000

/** Nothing that could be signed in at: later there may be. */
class NotThere extends Error {}

export function createServerSignIn(deps: ServerSignInDeps): SignInAtServer {
  const { spawner, key, clock, setTimer, log } = deps
  const { listenMs, retryMs, signInMs } = { ...usualTimes, ...deps.times }
  const turns = createTurns(mostAtOnce)

  return async (reached, gone) => {
    const { server, seat } = reached
    if (server === undefined) throw new TypeError('sessions of the template go to no server')
    const until = clock.now() + listenMs
    for (;;) {
      try {
        return await turns.run(seat.lease.generation, () => tryOnce(reached, server, gone))
      } catch (error) {
        gone.throwIfAborted()
        if (!(error instanceof NotThere)) throw error
        if (clock.now() + retryMs >= until)
          throw new Refused(
            'workspace_unreachable',
            `No SSH server answers at port ${server.port} of the workspace: ${error.message}.`,
          )
      }
      await pause(setTimer, retryMs, gone)
    }
  }

  async function tryOnce(
    { person, seat }: Reached,
    { user, port }: NonNullable<Reached['server']>,
    gone: AbortSignal,
  ): Promise<ServerConnection> {
    const { workspace, generation, address } = seat.lease
    gone.throwIfAborted()
    const signedIn = Promise.withResolvers<void>()
    let refusal: Refused | undefined
    const verify = async (hostKey: Buffer): Promise<boolean> => {
      const asked = { workspace, generation, user: person.name, key: key.public }
      const known = await spawner.checkServer(
        { ...asked, hostKey: hostKey.toString('base64') },
        gone,
      )
      if (known.status === 'known') return true
      refusal =
        known.status === 'refused'
          ? refusedBy(known.problem)
          : new Refused('spawner_unreachable', spawnerUnreachableDetail)
      return false
    }
    const socket = connect({
      host: address.host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    })
    const client = new ssh2.Client()
    client.on('error', (error: Failure) => {
      log.debug({ workspace, error }, 'connection to the ssh server of a workspace failed')
      signedIn.reject(refusal ?? reasonOf(error, user))
    })
    client.once('close', () =>
      signedIn.reject(refusal ?? new NotThere('it closes the connection before the sign-in')),
    )
    client.once('ready', () => signedIn.resolve())
    const leave = (): void => void socket.destroy()
    gone.addEventListener('abort', leave, { once: true })
    try {
      client.connect({
        sock: socket,
        username: user,
        privateKey: key.private,
        authHandler: ['publickey'],
        readyTimeout: signInMs,
        ident: 'Berth',
        algorithms: serverAlgorithms,
        hostVerifier: (hostKey: Buffer, done: (isKnown: boolean) => void) =>
          void verify(hostKey).then(done),
      })
      await signedIn.promise
      return { client, socket }
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      gone.removeEventListener('abort', leave)
    }
  }
}

/** As ssh2 throws it. */
type Failure = Error & { readonly level?: string; readonly code?: string | number }

function reasonOf({ level, code, message }: Failure, user: string): Error {
  if (level === 'client-authentication')
    return new Refused(
      'workspace_unreachable',
      `The SSH server in the workspace does not admit Berth as “${user}”. AuthorizedKeysFile in its sshd_config has to name /.berth/ssh/authorized_keys, and the user has to exist. The log of the server says more.`,
    )
  if (level === 'client-socket')
    return new NotThere(code === 'ECONNREFUSED' ? 'nothing listens there' : message)
  if (level === 'client-timeout') return new NotThere('it accepts connections and is silent')
  if (/before handshake/.test(message))
    return new NotThere('it closes the connection before it says what it speaks')
  return new Refused(
    'workspace_unreachable',
    `Berth and the SSH server in the workspace do not understand each other: ${message}`,
  )
}
