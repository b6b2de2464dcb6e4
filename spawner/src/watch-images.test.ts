import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { watchImages } from './watch-images.ts'

const log = createLog({ service: 'test', level: 'silent' })
const image = { reference: 'team/app:1', id: 'sha256:1', labels: { 'orca.name': 'app' } }

it('lists the images before it resolves', async () => {
  const seen: unknown[] = []
  const watch = await watchImages({ list: async () => [image], seen: (all) => seen.push(all), log })
  await watch[Symbol.asyncDispose]()
  assert.deepEqual(seen, [[image]])
})

it('hazard: resolves although the engine does not answer, so that the spawner starts', async () => {
  const list = async () => {
    throw new Error('connect ECONNREFUSED')
  }
  const watch = await watchImages({ list, seen: () => assert.fail('nothing was seen'), log })
  await watch[Symbol.asyncDispose]()
})

it('aborts a listing in progress when it is disposed', async () => {
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
