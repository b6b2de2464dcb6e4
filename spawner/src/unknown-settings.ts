// Finds variables that look like settings of Berth and are not: a misspelt setting could leave access open. Pure.
import { directorSettings } from '@berth/shared/director-settings'
import { otherSettingNames } from '@berth/shared/setting-names'
import { environmentPrefix } from './templates/template-settings.ts'
import { nearestWord } from './templates/nearest-word.ts'

/** The first words of the names of our settings. Other programs that share .env hardly use them. */
const families =
  /^(BINDS|CONTAINER|EVICT|GATEWAY|HISTORY|IDENTITY|IMAGES|KEEP|LOADING|MAX|NETWORK|RECONCILE|SPAWNER|SUBJECT|TCP|TEMPLATES|WORKSPACE)_/

/**
 * The whole of .env reaches the spawner, so it looks at the names of all services.
 *
 * @param known the spawner's own settings
 * @returns one complaint for each unknown variable
 */
export function unknownSettings(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): readonly string[] {
  const all = [...known, ...Object.keys(directorSettings), ...otherSettingNames]
  const accepted = new Set(all.flatMap((name) => [name, `${name}_FILE`]))
  return Object.entries(env)
    .filter(([name, value]) => value !== undefined && value !== '' && families.test(name))
    .filter(([name]) => !name.startsWith(environmentPrefix) && !accepted.has(name))
    .map(([name]) => {
      const meant = nearestWord(name, all)
      return meant === undefined
        ? `${name} is not a setting of Berth: remove it, or see docs/configuration.md for the names.`
        : `${name} is not a setting of Berth. Did you mean ${meant}?`
    })
}
