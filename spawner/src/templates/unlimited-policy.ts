// A policy without limits and without idle steps. Other policies are built on it.
import type { TemplatePolicy } from './template.ts'

export const unlimitedPolicy: TemplatePolicy = {
  seats: 1,
  seatsTotal: 0,
  seatIdleMs: 0,
  persistBetweenReconnects: true,
  idleFreezeMs: 0,
  idleStopMs: 0,
  idleRemoveMs: 0,
  maxLifetimeMs: 0,
  drainAfterMs: 0,
  extensionMs: 0,
  startTimeoutMs: 120_000,
  startsBy: 'visit',
  allowedUsers: [],
  allowedGroups: [],
  allowsGuests: false,
  maxWorkspaces: 0,
  maxWorkspacesByGroup: {},
  standby: 0,
  activityPath: '',
  busyCpuPercent: 0,
  busyAtMostMs: 0,
}
