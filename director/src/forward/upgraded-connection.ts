// An open WebSocket: bytes between client and workspace with backpressure, frames watched but never changed.
import type { Duplex } from 'node:stream'
import { createPlainDivision, type DivideFrames, type Piece } from './client-frames.ts'
import { closeFrame, createFrameWatch, messageFrame } from './frame-watch.ts'
import type { ForwardCounts, ForwardHooks } from './outcome.ts'

export interface UpgradeHooks extends ForwardHooks {
  /** Which frames of the client are use. Left out: every data frame. */
  readonly divide?: DivideFrames
  /**
   * Called before bytes of a frame that is use are passed on. A promise holds them and all later bytes. Unless it
   * resolves to `true`, the connection is closed with 1012.
   */
  onClientData?(): undefined | Promise<boolean>
  /** Bytes of the workspace have come. */
  onHeard?(): void
  /** Whether nothing promises that the workspace runs. Its quiet frames need no promise. */
  mayBeFrozen?(): boolean
}

/** 1001 going away, 1008 policy, 1012 service restart, 1013 try again later. */
export type CloseCode = 1001 | 1008 | 1012 | 1013

export interface UpgradedConnection {
  /** Sends a message to the client as if the workspace had sent it, unless another one is under way. */
  readonly say: (message: string | Buffer) => void
  /** Finishes the current frame, sends a close frame to both sides and ends. Later calls have no effect. */
  close(code: CloseCode, reason?: string): void
  /** Resolves when both sides are closed. Never rejects. */
  readonly closed: Promise<ForwardCounts>
}

export interface Sides {
  readonly client: Duplex
  readonly workspace: Duplex
  readonly hooks: UpgradeHooks
}

/** How much of a quiet frame is kept for a workspace that takes no bytes. */
const mostQuietBytes = 1024 * 1024
/** How long a side may take to close after its close frame. */
const closeGraceMs = 2_000

export function connect({ client, workspace, hooks }: Sides): UpgradedConnection {
  const divide = hooks.divide ?? createPlainDivision()
  const waiting: Piece[] = []
  /** Follows what was passed to the workspace. */
  const fromClient = createFrameWatch()
  const fromWorkspace = createFrameWatch()
  let bytesIn = 0
  let bytesOut = 0
  let drained = 0
  let held = false
  let dropping = false
  let closing: Buffer | undefined
  let closeSent = false
  let grace: NodeJS.Timeout | undefined

  function onClientChunk(chunk: Buffer): void {
    // After the close frame, only the end of the client's side is awaited.
    if (closing !== undefined) return
    waiting.push(...divide(chunk))
    passWaiting()
  }

  function passWaiting(): void {
    while (!held) {
      const piece = waiting.shift()
      if (piece === undefined) return
      const permission = piece.kind === 'use' ? hooks.onClientData?.() : undefined
      if (permission !== undefined) {
        held = true
        client.pause()
        permission.then(
          (mayPass) => release(piece, mayPass),
          () => release(piece, false),
        )
        return
      }
      passToWorkspace(piece)
    }
  }

  function release(piece: Piece, mayPass: boolean): void {
    if (!mayPass) {
      close(1012)
      return
    }
    held = false
    if (closing !== undefined || !workspace.writable) return
    client.resume()
    passToWorkspace(piece)
    passWaiting()
  }

  function passToWorkspace({ kind, bytes, continues }: Piece): void {
    // The system keeps some bytes for a frozen workspace. More heartbeats than that are of no use to it, and the frames
    // that wake it must not wait behind them.
    const mayBeFrozen = kind === 'quiet' && hooks.mayBeFrozen?.() === true
    if (!continues) dropping = mayBeFrozen && workspace.writableLength > 0
    if (dropping) return
    bytesIn += bytes.length
    fromClient.sawData(bytes)
    if (kind === 'use') hooks.onUse?.(bytes.length)
    const isFull = !workspace.write(bytes)
    if (isFull && !(mayBeFrozen && workspace.writableLength < mostQuietBytes)) client.pause()
  }

  function onWorkspaceChunk(chunk: Buffer): void {
    if (closeSent || client.destroyed) return
    if (closing !== undefined) {
      const end = fromWorkspace.advance(chunk, 0)
      passToClient(chunk.subarray(0, end))
      if (fromWorkspace.atBoundary) sendClose(closing)
      return
    }
    fromWorkspace.sawData(chunk)
    hooks.onHeard?.()
    if (!passToClient(chunk)) workspace.pause()
  }

  function passToClient(chunk: Buffer): boolean {
    bytesOut += chunk.length
    return client.write(chunk, onFlushed)
  }

  function onFlushed(error?: Error | null): void {
    if (error) return
    const flushed = Math.max(drained, bytesOut - client.writableLength)
    if (flushed > drained) hooks.onDrained?.(flushed - drained)
    drained = flushed
  }

  function say(message: string | Buffer): void {
    const mayInsert = fromWorkspace.betweenMessages && !fromWorkspace.closeSeen
    if (closing !== undefined || !mayInsert || !client.writable) return
    passToClient(messageFrame(message))
  }

  function close(code: CloseCode, reason = ''): void {
    if (closing !== undefined) return
    closing = closeFrame(code, reason, 'server')
    const masked = closeFrame(code, reason, 'client')
    const mayWrite = fromClient.atBoundary && !fromClient.closeSeen && !held
    if (workspace.writable) workspace.end(mayWrite ? masked : undefined)
    if (fromWorkspace.atBoundary) sendClose(closing)
    // The rest of the current frame must reach the client. Further data of the client is discarded.
    workspace.resume()
    client.resume()
    destroySoon()
  }

  function sendClose(frame: Buffer): void {
    if (closeSent) return
    closeSent = true
    if (client.writable) client.end(fromWorkspace.closeSeen ? undefined : frame)
  }

  function destroySoon(): void {
    grace ??= setTimeout(() => {
      client.destroy()
      workspace.destroy()
    }, closeGraceMs)
    grace.unref()
  }

  const closed = new Promise<ForwardCounts>((resolve) => {
    let open = 2
    const onClose = () => {
      open -= 1
      if (open > 0) return
      clearTimeout(grace)
      resolve({ bytesIn, bytesOut })
    }
    join(client, workspace, onClose)
    join(workspace, client, onClose)
  })

  /** Passes the end, error or close of one side on to the other. */
  function join(side: Duplex, other: Duplex, onClose: () => void): void {
    side.on('end', () => {
      if (other.writable) other.end()
    })
    // The close event that follows is handled; the error adds nothing.
    side.on('error', () => side.destroy())
    side.on('close', () => {
      // A side that closes without an end may leave the other side waiting.
      if (other.writable) other.end()
      other.resume()
      destroySoon()
      onClose()
    })
  }

  client.on('data', onClientChunk)
  client.on('drain', () => workspace.resume())
  workspace.on('data', onWorkspaceChunk)
  workspace.on('drain', () => {
    if (!held) client.resume()
  })
  // After the handshake the pipe is removed, which leaves the stream paused.
  workspace.resume()
  client.resume()

  return { say, close, closed }
}
