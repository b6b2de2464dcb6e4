// Where the application of a workspace is reached: on the port that its container was made with, whatever its template says
// now.
import type { Address } from '@berth/shared/contract'
import type { PolicyConfig, Workspace } from '../domain.ts'

/** @returns `undefined` without a container that has an address, or if nothing tells the port */
export function addressOf(
  { templates }: Pick<PolicyConfig, 'templates'>,
  { container, template }: Workspace,
): Address | undefined {
  if (container?.address === undefined) return undefined
  const { address: host } = container
  const made = container.port === undefined ? templates.get(template)?.spec : container
  if (made?.port === undefined) return undefined
  const { port, scheme } = made
  return { host, port, ...(scheme === undefined || scheme === 'http' ? {} : { scheme }) }
}
