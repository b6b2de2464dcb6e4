// The proofs that stop an engine have one of their own. To give it its images takes half a minute, so they share it.
import { after, before, describe } from 'node:test'
import { deployedImages } from '../deployment/gateway.ts'
import { createOwnEngine, type OwnEngine } from '../engine/own-engine.ts'
import { restartOfTheEngine } from './05-engine-restart.ts'
import { standbyContainers } from './18-standby.ts'
import { restartBeneathTcp } from './37-engine-restart.ts'

describe('with an engine of its own', () => {
  let own: OwnEngine
  before(async () => {
    own = await createOwnEngine('enginehost')
    await own.load(await deployedImages())
  })
  after(() => own?.[Symbol.asyncDispose]())

  restartOfTheEngine(() => own)
  standbyContainers(() => own)
  restartBeneathTcp(() => own)
})
