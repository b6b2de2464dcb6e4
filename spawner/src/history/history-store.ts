// What the history needs of the file that keeps it. Every call may fail, and none of them is awaited by a decision.
import type { Entry, EntryType, Outcome, Sample } from './entry.ts'
import type { StartKind } from '../policy/domain.ts'

export interface HistoryBatch {
  readonly entries: readonly Entry[]
  readonly samples: readonly Sample[]
}

export interface HistoryFilter {
  readonly person?: string | undefined
  readonly template?: string | undefined
  readonly type?: EntryType | undefined
  readonly start?: StartKind | undefined
  readonly outcome?: Outcome | undefined
  /** Milliseconds since 1970, inclusive. */
  readonly from?: number | undefined
  /** Exclusive. */
  readonly to?: number | undefined
  /** A part of the name of a person, a workspace or a template, of a reason or of a detail; upper and lower case are
   * alike in ASCII. */
  readonly search?: string | undefined
}

/** Where the next page begins: behind this entry. */
export interface Cursor {
  readonly at: number
  readonly id: number
}

export interface PageQuery extends HistoryFilter {
  readonly after?: Cursor | undefined
  readonly limit: number
}

export type StoredEntry = Entry & { readonly id: number }

export interface HistoryPage {
  /** The latest first. */
  readonly entries: readonly StoredEntry[]
  /** Absent: there are no further entries. */
  readonly next?: Cursor
}

export interface FiguresQuery {
  readonly from: number
  readonly to: number
  /** The width of one span. The first begins at `from`. */
  readonly spanMs: number
}

/** Half of the values are at most `p50`, 95 % are at most `p95`; absent without a value. */
export interface Quantiles {
  readonly p50?: number
  readonly p95?: number
}

export interface SpanFigures {
  readonly from: number
  /** Starts that became ready. */
  readonly starts: Readonly<Record<StartKind, number>>
  readonly failed: number
  readonly took: Quantiles
  readonly waited: Quantiles
  readonly refusals: Readonly<Record<string, number>>
  /** The most at once; absent where the spawner did not run. */
  readonly places?: number
  readonly queued?: number
  readonly limit?: number
}

export interface Figures {
  readonly spans: readonly SpanFigures[]
  readonly byStart: Readonly<Record<StartKind, { readonly count: number } & Quantiles>>
}

/** Synchronous: it works in a thread of its own. */
export interface HistoryFile extends Disposable {
  append(batch: HistoryBatch): void
  page(query: PageQuery): HistoryPage
  figures(query: FiguresQuery): Figures
  /** Removes some of what is older, and of what is more than is kept. @returns whether there may be more to remove */
  prune(before: number): boolean
}

/** The same, asked from the thread that decides. */
export type HistoryStore = {
  readonly [Call in Exclude<keyof HistoryFile, typeof Symbol.dispose>]: (
    ...given: Parameters<HistoryFile[Call]>
  ) => Promise<ReturnType<HistoryFile[Call]>>
} & AsyncDisposable
