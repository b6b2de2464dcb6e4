// @ts-check
// Which gateway signs people in: oauth2-proxy wherever its image can be had, else Apache, made from Debian's packages.
import { attempt } from './command.mjs'
import { Failure } from './failure.mjs'
import { findOrPull, isPresent } from './images.mjs'

/** @typedef {import('./settings.mjs').ScriptSettings} ScriptSettings */

/**
 * @param {ScriptSettings} settings
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<{ gateway: import('./settings.mjs').Gateway, why: string }>}
 */
export const chooseGateway = async ({ gateway, gatewayImage, instance }, say) => {
  if (gateway === 'apache') return { gateway, why: 'Apache with mod_auth_openidc, as GATEWAY says' }
  const version = gatewayImage.split('/').at(-1) ?? gatewayImage
  if (await isPresent(gatewayImage)) return { gateway: 'oauth2-proxy', why: version }
  // What runs stays: asking a registry that is out of reach again would only take time.
  if (!gateway && (await runsApache(instance)))
    return { gateway: 'apache', why: 'Apache with mod_auth_openidc, as before' }
  if (await findOrPull(gatewayImage, say)) return { gateway: 'oauth2-proxy', why: version }
  if (!gateway)
    return {
      gateway: 'apache',
      why: `Apache with mod_auth_openidc, since ${gatewayImage} cannot be pulled`,
    }
  throw new Failure(`${gatewayImage} is not here and cannot be pulled`, {
    help: 'GATEWAY=apache npm start takes the gateway that needs no image registry.',
  })
}

/** @param {string} instance */
const runsApache = async (instance) => {
  const filters = [
    '--filter',
    `label=berth.instance=${instance}`,
    '--filter',
    'label=berth.role=gateway',
  ]
  const { output } = await attempt('docker', ['ps', ...filters, '--format', '{{.Image}}'], {
    timeoutMs: 20_000,
  })
  return output.includes('apache-gateway')
}
