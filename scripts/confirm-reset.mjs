// @ts-check
// Whether `npm run reset` may remove everything: a person types the name of the instance, a script passes --yes.
import { Failure } from './failure.mjs'

/**
 * @param {object} deps
 * @param {string} deps.instance
 * @param {readonly string[]} deps.homes volumes that each belong to one person
 * @param {number} deps.others how many containers, networks and further volumes go as well
 * @param {readonly string[]} deps.args of the command line
 * @param {boolean} deps.isTerminal whether a person can answer
 * @param {(question: string) => Promise<string>} deps.ask
 * @returns {Promise<boolean>}
 */
export const confirmReset = async ({ instance, homes, others, args, isTerminal, ask }) => {
  const unknown = args.find((argument) => argument !== '--yes')
  if (unknown !== undefined)
    throw new Failure(`npm run reset does not know the argument ${unknown}`, {
      help: 'It takes --yes, which answers its question: npm run reset -- --yes',
    })
  if (homes.length + others === 0 || args.includes('--yes')) return true
  const what = `the files of all people of the instance ${instance} (${homes.length === 1 ? '1 home' : `${homes.length} homes`})`
  if (!isTerminal)
    throw new Failure(`this would remove ${what}, and nobody is here to confirm it`, {
      help: 'A script confirms it with: npm run reset -- --yes\nTo stop everything and keep the files: npm stop',
    })
  const answer = await ask(
    `This removes ${what}. Nothing can bring them back.\nType the name of the instance (${instance}) to go on: `,
  )
  return answer.trim() === instance
}
