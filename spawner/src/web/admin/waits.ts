// What a queued workspace waits for, as administrators are told. Pure.
import type { CommonLimit, OwnLimit } from '../../policy/queue/limits.ts'

const waits: Readonly<Record<OwnLimit | CommonLimit, string>> = {
  maintenance: 'the end of the maintenance',
  limit_total: 'all places are taken (MAX_WORKSPACES)',
  limit_memory: 'all memory for workspaces is in use (MAX_MEMORY)',
  starting: 'as many as may start at once are starting (MAX_STARTING)',
  limit_template: 'all places of this template are taken (max_workspaces)',
  limit_user: 'the person has as many workspaces as one may have (MAX_WORKSPACES_PER_USER)',
}

/** @param limit that the policy says; absent: none */
export function waitText(limit: string | undefined): string {
  const words: Readonly<Record<string, string>> = waits
  return (limit === undefined ? undefined : words[limit]) ?? 'the next free place or network'
}
