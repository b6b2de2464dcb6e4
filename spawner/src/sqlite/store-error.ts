// What keeps the store from being used, in words that say what to do.

export class StoreError extends Error {
  override readonly name = 'StoreError'
}
