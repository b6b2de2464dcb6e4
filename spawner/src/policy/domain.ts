// The words of the policy: what the spawner knows (state), what it hears (events), what it orders (steps).
// Times are monotonic milliseconds of one clock unless named otherwise. No I/O, no classes, no mutation.
export type * from './domain/config.ts'
export type * from './domain/network.ts'
export type * from './domain/workspace.ts'
export type * from './domain/records.ts'
export type * from './domain/state.ts'
export type * from './domain/inventory.ts'
export type * from './domain/event.ts'
export type * from './domain/step.ts'
export type * from './domain/decision.ts'
