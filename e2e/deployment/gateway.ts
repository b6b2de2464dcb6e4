// Chooses the gateway of the tests: the requested one, otherwise oauth2-proxy if its image is present, otherwise Apache.
// Lists the images of a deployment.
import { attempt } from '../run/command.ts'
import { surroundings, type GatewayKind } from '../run/surroundings.ts'

let chosen: Promise<GatewayKind> | undefined

export function chooseGateway(): Promise<GatewayKind> {
  return (chosen ??= choose())
}

/** The images that a deployment with `hello` needs. */
export async function deployedImages(): Promise<readonly string[]> {
  const gateway = await chooseGateway()
  const services = [
    'director',
    'spawner',
    'idp',
    gateway === 'apache' ? 'apache-gateway' : 'gateway',
  ]
  return [...services.map(serviceImage), 'berth/hello']
}

/** Of a service of the deployments of this test run. */
export function serviceImage(service: string): string {
  return `berth/${service}:${surroundings.tag}`
}

async function choose(): Promise<GatewayKind> {
  const gateway = surroundings.gateway ?? (await present())
  process.stdout.write(`gateway: ${gateway}\n`)
  return gateway
}

async function present(): Promise<GatewayKind> {
  const { code } = await attempt('docker', ['image', 'inspect', surroundings.gatewayImage])
  return code === 0 ? 'oauth2-proxy' : 'apache'
}
