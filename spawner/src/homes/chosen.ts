// Which homes a command is about: one person's, one volume, or all. Pure.
export interface Wish {
  readonly person: string | undefined
  readonly volume: string | undefined
  readonly all: boolean
}

export interface Owned {
  readonly volume: string
  readonly user?: string | undefined
}

/** @returns a complaint unless the caller names exactly one of them */
export function wishComplaint({ person, volume, all }: Wish): string | undefined {
  const named = [person !== undefined, volume !== undefined, all].filter(Boolean).length
  return named === 1 ? undefined : 'name a person, or --volume NAME, or --all'
}

export function chosen<T extends Owned>(
  homes: readonly T[],
  { person, volume, all }: Wish,
): readonly T[] {
  return homes
    .filter(
      (home) => all || home.volume === volume || (person !== undefined && home.user === person),
    )
    .toSorted((one, other) => (one.volume < other.volume ? -1 : 1))
}
