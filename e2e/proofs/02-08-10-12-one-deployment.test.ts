// The proofs that need nothing of a deployment but two directors, some people and room share one.
import { after, before, describe } from 'node:test'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { oneContainer } from './02-one-container.ts'
import { identityAndHeaders } from './08-identity-and-headers.ts'
import { escaped, names, userNames } from './10-user-names.ts'
import { theGateway } from './12-gateway.ts'

describe('in one deployment', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'one',
      directors: 2,
      settings: { IDP_PEOPLE: names.map(escaped).join(','), MAX_WORKSPACES: '50' },
    })
  })
  after(() => berth?.[Symbol.asyncDispose]())

  // The first wants to see the first workspace made; the last replaces the spawner.
  oneContainer(() => berth)
  identityAndHeaders(() => berth)
  userNames(() => berth)
  theGateway(() => berth)
})
