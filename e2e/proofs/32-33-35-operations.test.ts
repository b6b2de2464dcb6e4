// The proofs about what an administrator reads share one deployment.
import { after, before, describe } from 'node:test'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { freePorts } from '../run/free-ports.ts'
import { theDescriptionOfTheApi } from './35-api-description.ts'
import { secret, theLogs } from './32-logs.ts'
import { buildPrometheus, prometheusFile, prometheusImage, theMetrics } from './33-metrics.ts'

const licence = secret('secret of a template')
const password = secret('variable of a template')
const printed = secret('what a container prints')

const templates = `
x-small: &small { image: berth/hello, port: 8080, mem_limit: 64m }
templates:
  plain:
    <<: *small
    prefix: plain${process.pid.toString(36)}
    route: { hosts: [plain.localhost] }
  vault:
    <<: *small
    prefix: vault${process.pid.toString(36)}
    route: { hosts: [vault.localhost] }
    environment: { DATABASE_PASSWORD: ${password} }
    secrets: [licence]
  broken:
    <<: *small
    prefix: broken${process.pid.toString(36)}
    route: { hosts: [broken.localhost] }
    command: [sh, -c, 'echo ${printed}; exit 3']
secrets:
  licence: { file: ./licence.key }
`

describe('in one deployment, for administrators', () => {
  let berth: Deployment
  before(async () => {
    await buildPrometheus()
    const [prometheusPort] = await freePorts(1)
    berth = await deploy({
      name: 'ops',
      directors: 2,
      portal: true,
      moreComposeFiles: [prometheusFile],
      templates,
      templateFiles: { 'licence.key': licence },
      settings: {
        LOG_LEVEL: 'trace',
        API_TOKEN: secret('API_TOKEN'),
        PROMETHEUS_IMAGE: prometheusImage,
        PROMETHEUS_PORT: String(prometheusPort),
      },
    })
  })
  after(() => berth?.[Symbol.asyncDispose]())

  // The first wants to see no workspace.
  theDescriptionOfTheApi(() => berth)
  theMetrics(() => berth)
  // The last test replaces director and spawner.
  theLogs(() => berth)
})
