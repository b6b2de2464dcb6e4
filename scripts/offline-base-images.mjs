// @ts-check
// Offline base images: made from packages under the names of the official images, for machines that reach no image
// registry. `images.mjs` decides when one is made.
import { copyFile, cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildLine } from './build-line.mjs'
import { attempt, run } from './command.mjs'
import { Failure } from './failure.mjs'
import { CA_PATH_INSIDE, caEnvironment, findOwnCaBundle, readAptSettings } from './host-trust.mjs'
import { ensurePackages, findMirror, readDistribution } from './packages.mjs'

const SUITE = 'bookworm'
const NPM_RELEASE = 'npm@11'
const BUILD_TIMEOUT_MS = 10 * 60_000
const LEFT_OUT = [
  './var/cache/apt/archives/*.deb',
  './var/lib/apt/lists/*',
  './usr/share/doc/*',
  './usr/share/man/*',
  './usr/share/locale/*',
  './usr/share/info/*',
  './var/log/*.log',
  './proc/*',
  './sys/*',
  './dev/*',
]
const SLIM = ['doc', 'man', 'locale', 'info'].map((name) => `path-exclude /usr/share/${name}/*`)

/**
 * @typedef {import('./progress.mjs').Say} Say
 * @typedef {{ root: string, say: Say }} StandInDeps `root`: the repository
 */

/**
 * A Debian base system under the name of the official image.
 * @param {string} name
 * @param {StandInDeps} deps
 */
export const makeDebian = async (name, { say }) => {
  if (process.getuid?.() !== 0) {
    throw new Failure(`${name} is not on this machine, and no image registry answers`, {
      help: `Only root can make an offline base image. Run this command as root, or load the image with docker load.`,
    })
  }
  await ensurePackages(['debootstrap'], say)
  // Not in /tmp, which may be mounted without support for device files.
  const work = await mkdtemp('/var/tmp/berth-debian-')
  const system = join(work, 'system')
  try {
    const bundle = await findOwnCaBundle(process.env)
    say('unpacking Debian packages')
    await run('debootstrap', ['--variant=minbase', SUITE, system, ...(await mirrorArguments())], {
      timeoutMs: BUILD_TIMEOUT_MS,
      onLine: (line) =>
        say.passing(
          `unpacking Debian packages: ${buildLine(line.replace(/^[IW]: /, '').replace(/ on http.*/, ''))}`,
        ),
    })
    await writeFile(join(system, 'etc/dpkg/dpkg.cfg.d/slim'), `${SLIM.join('\n')}\n`)
    const apt = await readAptSettings(bundle !== undefined)
    if (apt.length > 0)
      await writeFile(join(system, 'etc/apt/apt.conf.d/90host'), `${apt.join('\n')}\n`)
    if (bundle) await copyFile(bundle, join(system, CA_PATH_INSIDE))
    say('importing it into the engine')
    const changes = [
      'CMD ["bash"]',
      ...(bundle ? caEnvironment().map((entry) => `ENV ${entry}`) : []),
    ]
    const script = 'tar -C "$0" "${@:3:$2}" -c . | docker import "${@:3+$2}" - "$1"'
    const excludes = LEFT_OUT.map((path) => `--exclude=${path}`)
    await run(
      'bash',
      [
        '-o',
        'pipefail',
        '-c',
        script,
        system,
        name,
        String(excludes.length),
        ...excludes,
        ...changes.flatMap((change) => ['--change', change]),
      ],
      { timeoutMs: BUILD_TIMEOUT_MS },
    )
  } finally {
    // debootstrap does not unmount these when it is interrupted.
    for (const mount of ['proc', 'sys'])
      await attempt('umount', ['-q', join(system, mount)], {
        timeoutMs: 10_000,
        evenWhenEnding: true,
      })
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * Node on the Debian base: the binary of the development dependency, and npm.
 * @param {string} name
 * @param {StandInDeps & { base: string }} deps `base`: the image it is made from
 */
export const makeNode = async (name, { root, base, say }) => {
  const work = await mkdtemp(join(tmpdir(), 'berth-node-'))
  try {
    say('collecting Node and npm')
    await copyFile(await realpath(join(root, 'node_modules/.bin/node')), join(work, 'node'))
    await run(
      'npm',
      [
        'install',
        '--prefix',
        join(work, 'fetched'),
        '--no-save',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        NPM_RELEASE,
      ],
      {
        timeoutMs: BUILD_TIMEOUT_MS,
        cwd: work,
      },
    )
    await cp(join(work, 'fetched/node_modules/npm'), join(work, 'npm'), {
      recursive: true,
      dereference: true,
    })
    await rm(join(work, 'fetched'), { recursive: true })
    await writeFile(join(work, 'Dockerfile'), nodeDockerfile(base))
    say('building the image')
    await run('docker', ['build', '--progress', 'plain', '--tag', name, '.'], {
      cwd: work,
      timeoutMs: BUILD_TIMEOUT_MS,
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** @param {string} base */
const nodeDockerfile = (base) => `FROM ${base}
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
COPY --chmod=755 node /usr/local/bin/node
RUN node --version && npm --version
CMD ["node"]
`

/** On other distributions than Debian, the default mirror of debootstrap is right. */
const mirrorArguments = async () => {
  const distribution = await readDistribution()
  return distribution.id === 'debian' ? [(await findMirror(distribution)).uri] : []
}
