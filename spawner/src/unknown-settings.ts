// Finds variables that look like settings of Berth and are not: a misspelt setting could leave access open. Pure.
import { directorSettings } from '@berth/shared/director-settings'
import { gatewayOptionNames, otherSettingNames } from '@berth/shared/setting-names'
import { environmentPrefix } from './templates/template-settings.ts'
import { distance, nearestWord, plain } from './templates/nearest-word.ts'

/** The first words of the names of our settings. Other programs that share .env hardly use them. */
const families =
  /^(BINDS|CONTAINER|EVICT|GATEWAY|GUESTS?|HISTORY|IDENTITY|IMAGES|KEEP|LOADING|MAX|NETWORK|RECONCILE|SPAWNER|SUBJECT|TCP|TEMPLATES|WORKSPACE)_/

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
  const others = [...all, ...gatewayOptionNames]
  const accepted = new Set(others.flatMap((name) => [name, `${name}_FILE`]))
  return Object.entries(env)
    .filter(([name, value]) => value !== undefined && value !== '' && !accepted.has(name))
    .filter(([name]) => !name.startsWith(environmentPrefix))
    .flatMap(([name]) => {
      const meant = misspelt(name, others) ?? (families.test(name) ? nearestWord(name, all) : '')
      if (meant === '') return []
      return meant === undefined
        ? `${name} is not a setting of Berth: remove it, or see docs/configuration.md for the names.`
        : `${name} is not a setting of Berth. Did you mean ${meant}?`
    })
}

/**
 * Whatever a name begins with: `admin_users`, `WITH_USER`, `SSH_PROT`, `OAUTH2_PROXY_ALLOWED_GROUP`. Another program's
 * variable may resemble a setting, so the number of words has to be the same. In a short name two letters may be swapped,
 * and in a longer one a letter may be missing or too much; a replaced letter makes another word of a short name.
 */
function misspelt(name: string, known: readonly string[]): string | undefined {
  const written = plain(name)
  if (written.length < 6) return undefined
  const isNear = (candidate: string): boolean => {
    const wanted = plain(candidate)
    if (written === wanted) return true
    if (wordsOf(name) !== wordsOf(candidate) || digitsOf(name) !== digitsOf(candidate)) return false
    const away = distance(written, wanted)
    const isSwapped = away === 1 && sorted(written) === sorted(wanted)
    if (written.length < 8) return isSwapped
    if (written.length < 10) return isSwapped || (away === 1 && written.length !== wanted.length)
    return away <= (written.length < 12 ? 1 : 2)
  }
  const near = known.filter(isNear)
  return near.toSorted((a, b) => distance(written, plain(a)) - distance(written, plain(b)))[0]
}

const wordsOf = (name: string): number => name.split(/[_-]/).length
const sorted = (letters: string): string => [...letters].toSorted().join('')
const digitsOf = (name: string): string => name.replaceAll(/\D/g, '')
