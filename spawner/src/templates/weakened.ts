// The settings of a template that weaken the default hardening of a workspace, as phrases for the log.
import { shownSecurityOption } from './file-security.ts'
import { usesPlaceholder } from './placeholders.ts'
import type { TemplateSpec } from './template.ts'

export function weakened(spec: TemplateSpec): readonly string[] {
  const binds = spec.volumes.filter(({ kind }) => kind === 'bind')
  return [
    ...spec.capAdd.map((name) => `keeps the capability ${name}`),
    ...(spec.init ? [] : ['its own program is process 1, without the engine’s init']),
    ...spec.securityOpt.map((option) => `has the security option ${shownSecurityOption(option)}`),
    ...spec.networks.map((name) => `joins the network ${name}`),
    ...spec.devices.map(({ source }) => `uses the device ${source} of the host`),
    ...(spec.gpus.length === 0 ? [] : ['uses GPUs of the host']),
    ...binds.map(
      ({ source, readOnly }) =>
        `${readOnly ? 'reads' : 'reads and writes'} the folder ${source} of the host${heirs(source)}`,
    ),
  ]
}

/** Berth knows the subject of the owner of a volume, but not of a folder. */
function heirs(source: string): string {
  return usesPlaceholder(source, 'user', 'workspace')
    ? ', which the next person with that user name gets'
    : ''
}
