// One call for everybody who would make the same one at the same time. It ends early only when all have left.

export interface SharedCall<T> {
  readonly result: Promise<T>
  /** Must be called once, answered or not. */
  leave(): void
}

export interface SharedCalls<T> {
  /** @param begin makes the call, unless one is under way; it must not reject */
  join(key: string, begin: (signal: AbortSignal) => Promise<T>): SharedCall<T>
}

interface Call<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  sharers: number
}

export function createSharedCalls<T>(): SharedCalls<T> {
  const calls = new Map<string, Call<T>>()

  function begun(key: string, begin: (signal: AbortSignal) => Promise<T>): Call<T> {
    const controller = new AbortController()
    const result = begin(controller.signal).finally(() => forget(key, call))
    const call = { result, controller, sharers: 0 }
    calls.set(key, call)
    return call
  }

  function forget(key: string, call: Call<T>): void {
    if (calls.get(key) === call) calls.delete(key)
  }

  return {
    join(key, begin) {
      const call = calls.get(key) ?? begun(key, begin)
      call.sharers += 1
      return {
        result: call.result,
        leave() {
          call.sharers -= 1
          if (call.sharers > 0) return
          forget(key, call)
          call.controller.abort()
        },
      }
    },
  }
}
