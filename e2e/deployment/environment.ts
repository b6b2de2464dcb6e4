// Passes settings to Compose in a file of the deployment, and nothing of the environment of this process.
import type { Engine } from '../engine/engine.ts'
import type { Settings } from './templates.ts'

export function environmentFileText(settings: Settings): string {
  // Compose does not interpret text between single quotes, which ends at the next quote without a backslash before it.
  const lines = Object.entries(settings).map(([name, value]) => {
    if (/(?<!\\)'|\n/.test(value)) throw new Error(`${name} cannot be in a file: ${value}`)
    return `${name}='${value}'`
  })
  return `${lines.join('\n')}\n`
}

/** Only what programs need: a variable of the environment has precedence over the file. */
export function composeEnvironment(engine: Engine): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'DOCKER_CONFIG', 'DOCKER_BUILDKIT']
  const env = Object.fromEntries(kept.map((name) => [name, process.env[name]]))
  return { ...env, DOCKER_HOST: `unix://${engine.socketPath}` }
}
