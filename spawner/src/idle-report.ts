// What keeps a workspace in use, as a text for administrators.
import { phases, useSchema, type Use } from '@berth/shared/contract'
import { formatDuration } from '@berth/shared/duration'
import { z } from 'zod'

export const reportSchema = z.object({ phase: z.enum(phases), uses: z.array(useSchema) })

export function reportText(name: string, { phase, uses }: z.infer<typeof reportSchema>): string {
  const lines = uses.map(line)
  const head =
    uses.length === 0
      ? `${name} is ${phase}, and nothing counted as use in the last 15 minutes.`
      : `${name} is ${phase}. This counted as use in the last 15 minutes, the latest first:`
  return `${[head, ...lines].join('\n')}\n${uses.length === 0 ? '' : advice}`
}

const advice = `
What an untouched page sends by itself can be named in the template: requests in "background", frames in "frames"
(docs/use.md). Leave the page alone for some minutes first: what a person does is listed here as well.
`

function line({ what, method, path, count, ...use }: Use): string {
  const { fewestBytes, mostBytes, firstAgoMs, lastAgoMs } = use
  const bytes = fewestBytes === mostBytes ? `${mostBytes}` : `${fewestBytes} to ${mostBytes}`
  const subject = what === 'frame' ? `WebSocket frame  ${path}` : `${what}  ${method} ${path}`
  const every =
    count > 2 ? `, every ${seconds((firstAgoMs - lastAgoMs) / (count - 1))} on average` : ''
  return `  ${subject}  ${count} time${count === 1 ? '' : 's'}${every}, ${bytes} bytes, last ${seconds(lastAgoMs)} ago`
}

/** As precise as an administrator needs it. */
function seconds(ms: number): string {
  return ms < 1_000 ? 'less than 1s' : formatDuration(Math.round(ms / 1_000) * 1_000)
}
