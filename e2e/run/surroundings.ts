// What the environment says about a test run. `npm test` sets all of it; `npm run test:e2e` needs none of it.
import { join } from 'node:path'

export type GatewayKind = 'oauth2-proxy' | 'apache'

export interface Surroundings {
  readonly root: string
  /** The name that every instance of this run begins with. */
  readonly instance: string
  /** Unset: the one whose image is present. */
  readonly gateway: GatewayKind | undefined
  readonly gatewayImage: string
  /** The tag of the images of Berth's services: other checkouts and deployments on this machine keep theirs. */
  readonly tag: string
  readonly chromium: string
  /** The folder with `prometheus` and `promtool`. */
  readonly prometheus: string
  readonly caddy: string
  readonly schemathesis: string
  /** The folder with `ansible-playbook`, and a `python` that has Paramiko. */
  readonly ansible: string
  /** The caller has just built the images. */
  readonly built: boolean
  /** Screenshots are kept. */
  readonly artifacts: string | undefined
}

export const surroundings: Surroundings = read(process.env)

function read(env: NodeJS.ProcessEnv): Surroundings {
  const root = join(import.meta.dirname, '../..')
  return {
    root,
    instance: env['BERTH_TEST_INSTANCE'] || `berthtest-${process.pid}`,
    gateway: gatewayFrom(env['BERTH_TEST_GATEWAY'] || env['GATEWAY'] || ''),
    gatewayImage: env['GATEWAY_IMAGE'] || 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.5',
    tag: env['BERTH_TAG'] || 'latest',
    chromium: env['CHROMIUM'] || '/usr/bin/chromium',
    prometheus: env['PROMETHEUS'] || '/usr/bin',
    caddy: env['CADDY'] || 'caddy',
    schemathesis: env['SCHEMATHESIS'] || 'schemathesis',
    ansible: env['ANSIBLE'] || '/usr/bin',
    built: Boolean(env['BERTH_TEST_INSTANCE']),
    artifacts: env['ARTIFACTS'] === '1' ? join(root, '.artifacts') : undefined,
  }
}

function gatewayFrom(text: string): GatewayKind | undefined {
  if (text === '') return undefined
  if (text === 'oauth2-proxy' || text === 'apache') return text
  throw new Error(`GATEWAY "${text}" is neither oauth2-proxy nor apache`)
}
