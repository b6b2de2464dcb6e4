// Everything that is wrong with the settings of a deployment, before a service has to start with them: the settings of
// spawner and director, and the templates file. It reads files, and changes nothing.
import { directorSettings } from '@berth/shared/director-settings'
import { readSettings, SettingsError } from '@berth/shared/settings'
import { mend, readConfig, templateContext, type SpawnerConfig } from './config.ts'
import type { LabelledImage } from './templates/from-image.ts'
import { createTemplateSource } from './templates/template-source.ts'
import type { Template } from './templates/template.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface Files {
  /** Throws if the file cannot be read. */
  readonly read: (path: string) => string
  /** A path relative to the folder of a file. */
  readonly beside: (file: string, path: string) => string
}

export interface CheckedSettings {
  /** One line each. Empty: the services start with these settings. */
  readonly problems: readonly string[]
  /** Absent if there are problems. */
  readonly config?: SpawnerConfig
}

export function checkSettings(env: Environment, files: Files): CheckedSettings {
  let config: SpawnerConfig | undefined
  const problems = [
    ...problemsOf(() => (config = readConfig(env, files.read))),
    // The compose file has this default. The secret of the gateway is withheld from the spawner, and is optional.
    ...problemsOf(() => {
      readSettings(directorSettings, { SPAWNER_HOST: 'spawner', ...env }, files.read)
    }),
    ...problemsOf(() => {
      const readable = config ?? mend(env, files.read)?.config
      if (readable !== undefined) checkTemplates(readable, files)
    }),
  ]
  if (config === undefined || problems.length > 0) return { problems: [...new Set(problems)] }
  return { problems, config }
}

export interface CheckedTemplates {
  readonly templates: readonly Template[]
  readonly warnings: readonly string[]
}

/** @throws SettingsError */
export function checkTemplates(
  { settings, templates, variables }: SpawnerConfig,
  files: Files,
  images: readonly LabelledImage[] = [],
): CheckedTemplates {
  const warnings: string[] = []
  const log = {
    info: () => undefined,
    error: () => undefined,
    warn: (first: unknown, text?: string) =>
      void warnings.push(text === undefined ? String(first) : `${text}: ${JSON.stringify(first)}`),
  }
  using source = createTemplateSource({
    path: settings.TEMPLATES_FILE,
    environment: templates.values(),
    context: { ...templateContext(settings), variables },
    readFile: files.read,
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    beside: files.beside,
    log,
    changed: () => undefined,
  })
  source.images(images)
  return { templates: [...source.templates().values()], warnings }
}

function problemsOf(work: () => void): readonly string[] {
  try {
    work()
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}
