// @ts-check
// Chooses the gateway: oauth2-proxy if its image is available, otherwise Apache, built from Debian's packages.
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
  // A running gateway stays: another request to a registry that is out of reach would only take time.
  if (!gateway && (await runsApache(instance)))
    return { gateway: 'apache', why: 'Apache with mod_auth_openidc, as before' }
  if (await findOrPull(gatewayImage, say)) return { gateway: 'oauth2-proxy', why: version }
  if (!gateway)
    return {
      gateway: 'apache',
      why: `Apache with mod_auth_openidc, since ${gatewayImage} cannot be pulled`,
    }
  throw new Failure(`${gatewayImage} is not on this machine and cannot be pulled`, {
    help: 'Use the gateway that needs no image registry: GATEWAY=apache npm start',
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
