// How settings reach Compose: in a file of the deployment's own, and nothing of this process's environment.
import type { Engine } from '../engine/engine.ts'
import type { Settings } from './templates.ts'

export function environmentFileText(settings: Settings): string {
  // Compose takes what is between single quotes as it is, and ends at the next that has no backslash before it.
  const lines = Object.entries(settings).map(([name, value]) => {
    if (/(?<!\\)'|\n/.test(value)) throw new Error(`${name} cannot be in a file: ${value}`)
    return `${name}='${value}'`
  })
  return `${lines.join('\n')}\n`
}

/** Only what programs need: a variable of the environment would win over the file. */
export function composeEnvironment(engine: Engine): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'DOCKER_CONFIG', 'DOCKER_BUILDKIT']
  const env = Object.fromEntries(kept.map((name) => [name, process.env[name]]))
  return { ...env, DOCKER_HOST: `unix://${engine.socketPath}` }
}
