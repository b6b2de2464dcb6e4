// Why the store cannot be used, and what to do about it.

export class StoreError extends Error {
  override readonly name = 'StoreError'
}
