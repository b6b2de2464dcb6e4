// Which gateway the tests go through: the one that was asked for, else oauth2-proxy where its image is, else Apache;
// and the images that a deployment is made of.
import { attempt } from '../run/command.ts'
import { surroundings, type GatewayKind } from '../run/surroundings.ts'

let chosen: Promise<GatewayKind> | undefined

export function chooseGateway(): Promise<GatewayKind> {
  return (chosen ??= choose())
}

/** What a deployment with `hello` needs on an engine that has no images. */
export async function deployedImages(): Promise<readonly string[]> {
  const gateway = await chooseGateway()
  const gatewayImage = gateway === 'apache' ? 'berth/apache-gateway' : surroundings.gatewayImage
  return ['berth/director', 'berth/spawner', 'berth/idp', 'berth/hello', gatewayImage]
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
