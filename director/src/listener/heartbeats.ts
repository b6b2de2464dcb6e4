// Says the heartbeat of a frozen workspace on an open WebSocket. Without it, the page would give the connection up, open
// it again and again in vain, and lose what a person types there. To a workspace that runs it leaves its own silence.
import type { Clock } from '@berth/shared/clock'
import type { SetTimer } from '@berth/shared/timer'
import type { Heartbeat } from '../routing/quiet-frames.ts'

export interface HeartbeatDeps {
  readonly clock: Clock
  readonly setTimer: SetTimer
  readonly heartbeat: Heartbeat
  /** Whether the workspace can speak for itself. Never rejects. */
  readonly runs: () => Promise<boolean>
  readonly say: (message: string | Buffer) => void
}

export interface Heartbeats extends Disposable {
  /** The workspace has said something. */
  readonly heard: () => void
}

/** How much later than its period a heartbeat of the workspace may come. */
const patience = 1.2

export function createHeartbeats(deps: HeartbeatDeps): Heartbeats {
  const { clock, setTimer, heartbeat, runs, say } = deps
  const { message, periodMs } = heartbeat
  let dueAt = clock.now() + periodMs * patience
  let timer = setTimer(periodMs * patience, () => void beat())
  let isOver = false

  function schedule(): void {
    if (isOver) return
    timer = setTimer(Math.max(0, dueAt - clock.now()), () => void beat())
  }

  async function beat(): Promise<void> {
    if (clock.now() < dueAt) return schedule()
    const askedFor = dueAt
    const isRunning = await runs()
    if (isOver) return
    if (dueAt === askedFor) {
      dueAt = clock.now() + periodMs
      if (!isRunning) say(message)
    }
    schedule()
  }

  return {
    heard() {
      dueAt = clock.now() + periodMs * patience
    },
    [Symbol.dispose]() {
      isOver = true
      timer[Symbol.dispose]()
    },
  }
}
