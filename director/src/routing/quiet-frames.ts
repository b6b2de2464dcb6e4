// The frames that an application's page sends by itself over a WebSocket, such as heartbeats: they are not use.
import type { Clock } from '@berth/shared/clock'
import type { QuietFrames } from '@berth/shared/contract'
import { createGlob } from './glob.ts'
import { pathOf } from './path-prefix.ts'

/** A message of a client, or its first frame. */
export interface ClientFrame {
  /** Of the whole payload. */
  readonly bytes: number
  /** The payload's first bytes: at least as many as the longest prefix has, if there are that many. */
  readonly begin: Uint8Array
}

export interface Heartbeat {
  readonly message: string | Buffer
  readonly periodMs: number
}

/** The rules for one WebSocket. */
export interface FrameRules {
  readonly longestPrefix: number
  /** They look into payloads, which must not be compressed then. */
  readonly readsPayload: boolean
  /** What the server says in each period: a page that no longer hears it gives the connection up. */
  readonly heartbeat?: Heartbeat
  /** For one connection: a period counts from its last frame. */
  judge(clock: Clock): (frame: ClientFrame) => boolean
}

/** @returns `undefined` where no rule names the path */
export type FrameRulesOf = (target: string) => FrameRules | undefined

/** Timers of pages are late and early: a frame that comes this much before its time is still one of the period. */
const onTime = 0.9

interface Rule extends Omit<QuietFrames, 'path' | 'prefix'> {
  readonly prefix: Buffer
}

export function createFrameRules(written: readonly QuietFrames[] = []): FrameRulesOf {
  const all = written.map(({ path, prefix = '', ...rest }) => ({
    matches: createGlob(path),
    rule: { ...rest, prefix: Buffer.from(prefix, 'hex') },
  }))
  return (target) => {
    const path = pathOf(target)
    const rules = all.filter(({ matches }) => matches(path)).map(({ rule }) => rule)
    if (rules.length === 0) return undefined
    const heartbeat = rules.map(heartbeatOf).find((found) => found !== undefined)
    return {
      ...(heartbeat === undefined ? {} : { heartbeat }),
      longestPrefix: Math.max(...rules.map(({ prefix }) => prefix.length)),
      readsPayload: rules.some(
        ({ prefix, maxBytes }) => prefix.length > 0 || maxBytes !== undefined,
      ),
      judge: (clock) => createJudge(rules, clock),
    }
  }
}

function heartbeatOf({ answers, periodMs }: Rule): Heartbeat | undefined {
  if (answers === undefined || periodMs === undefined) return undefined
  return {
    message: typeof answers === 'string' ? answers : Buffer.from(answers.hex, 'hex'),
    periodMs,
  }
}

function createJudge(rules: readonly Rule[], clock: Clock): (frame: ClientFrame) => boolean {
  const last = new Map<Rule, number>()

  function isInTime(rule: Rule): boolean {
    if (rule.periodMs === undefined) return true
    const before = last.get(rule)
    return before === undefined || clock.now() - before >= rule.periodMs * onTime
  }

  return ({ bytes, begin }) => {
    const rule = rules.find(
      (each) =>
        bytes <= (each.maxBytes ?? Infinity) && startsWith(begin, each.prefix) && isInTime(each),
    )
    if (rule === undefined) return false
    last.set(rule, clock.now())
    return true
  }
}

function startsWith(bytes: Uint8Array, prefix: Buffer): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, at) => bytes[at] === byte)
}
