// Tells administrators of activity paths that tell nothing: such a workspace counts as busy, up to the template's bound.
import type { ActivityCheckResult } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import type { Template } from '../templates/template.ts'

export interface ActivityPaths {
  /** Warns once for each template, and again when what was met has changed. */
  note(template: Template, result: Pick<ActivityCheckResult, 'finding' | 'status'>): void
}

export function createActivityPaths({ log }: { log: Pick<Log, 'warn'> }): ActivityPaths {
  const told = new Map<string, string>()
  return {
    note({ name: template, policy: { activityPath: path } }, { finding, status }) {
      if (finding === undefined) return void told.delete(template)
      const met = JSON.stringify([path, finding, status])
      if (told.get(template) === met) return
      told.set(template, met)
      log.warn({ template, path, finding, status }, 'activity path tells nothing')
    },
  }
}
