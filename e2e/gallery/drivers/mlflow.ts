// MLflow: the list of runs, a filter, and experiments that are made in the page. Artifacts by curl, as MLflow's client sends
// them.
import type { Response } from 'playwright-core'
import { effectMs, type Application, type Gesture, type Tab } from '../application.ts'
import { filesBelow } from '../session-curl.ts'

const runs = '#/experiments/0/runs'

/** The server's answer to what the person does. */
async function answered(
  { page }: Tab,
  isOfInterest: (response: Response) => boolean,
  act: () => Promise<void>,
): Promise<void> {
  const [answer] = await Promise.all([
    page.waitForResponse(isOfInterest, { timeout: effectMs }),
    act(),
  ])
  if (!answer.ok()) throw new Error(`the server answered ${answer.status()}`)
}

async function filter({ page }: Tab, text: string): Promise<void> {
  await page.getByPlaceholder('metrics.rmse').fill(text, { timeout: effectMs })
  await page.keyboard.press('Enter')
}

async function opened({ page }: Tab): Promise<void> {
  await page.waitForSelector(':text("matching runs")')
}

async function toExperiments(tab: Tab): Promise<void> {
  const { page } = tab
  await answered(
    tab,
    (response) => response.url().includes('/experiments/search?'),
    () => page.getByRole('link', { name: 'Experiments' }).first().click({ timeout: effectMs }),
  )
  await page.waitForSelector('a:text-is("Default")', { timeout: effectMs })
}

async function backToRuns(tab: Tab): Promise<void> {
  // Only the fragment is another one, so the page stays.
  await tab.page.goto(tab.root + runs)
  await opened(tab)
}

const click: Gesture = async (tab) => {
  await toExperiments(tab)
  await backToRuns(tab)
}

const type: Gesture = async (tab, words) => {
  await answered(
    tab,
    (response) => response.request().postData()?.includes(words) === true,
    () => filter(tab, `attributes.run_name != '${words}'`),
  )
  // The page asks for the list by itself, with the filter that is set.
  await filter(tab, '')
}

export const mlflow: Application = {
  folder: 'mlflow',
  title: 'MLflow',
  version: 'mlflow --version',
  afterStop: { click, type },
  remarks: ['its page carries no files up; artifacts by curl'],
  link: () => runs,
  opened,
  click,
  type,
  work: {
    async save(tab, words) {
      await toExperiments(tab)
      const create = { name: 'Create', exact: true }
      await tab.page.getByRole('button', create).click()
      const dialog = tab.page.getByRole('dialog')
      await dialog.getByLabel('Experiment Name').fill(words, { timeout: effectMs })
      await answered(
        tab,
        (response) => response.url().endsWith('/experiments/create'),
        () => dialog.getByRole('button', create).click(),
      )
      // The page shows the new experiment then.
      await tab.page.waitForURL(/#\/experiments\/[1-9]\d*\/overview\//, { timeout: effectMs })
      await backToRuns(tab)
    },
    async shows(tab, words) {
      await toExperiments(tab)
      await tab.page.waitForSelector(`a:text-is("${words}")`, { timeout: effectMs })
      await backToRuns(tab)
    },
  },
  files: filesBelow('api/2.0/mlflow-artifacts/artifacts/'),
}
