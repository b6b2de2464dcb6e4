import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { watchImages } from './watch-images.ts'

const log = createLog({ service: 'test', level: 'silent' })
const image = { reference: 'team/app:1', id: 'sha256:1', labels: { 'orca.name': 'app' } }

it('images are known before anything goes by them', async () => {
  const seen: unknown[] = []
  const watch = await watchImages({ list: async () => [image], seen: (all) => seen.push(all), log })
  await watch[Symbol.asyncDispose]()
  assert.deepEqual(seen, [[image]])
})

it('hazard: an engine that does not answer keeps nothing from starting', async () => {
  const list = async () => {
    throw new Error('connect ECONNREFUSED')
  }
  const watch = await watchImages({ list, seen: () => assert.fail('nothing was seen'), log })
  await watch[Symbol.asyncDispose]()
})

it('a look that is under way is given up when it is over', async () => {
  const asked = Promise.withResolvers<AbortSignal>()
  let answer = (): void => undefined
  const list = (signal: AbortSignal) => {
    asked.resolve(signal)
    return new Promise<[]>((resolve) => (answer = () => resolve([])))
  }
  const starting = watchImages({ list, seen: () => undefined, log })
  const signal = await asked.promise
  answer()
  await (await starting)[Symbol.asyncDispose]()
  assert.equal(signal.aborted, true)
})
