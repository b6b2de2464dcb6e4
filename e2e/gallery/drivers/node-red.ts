// Node-RED, with the example of `gallery/node-red`: the button of an inject node, whose answer comes back over the WebSocket,
// and the name of a node, which is saved by a deployment.
import { changed, effectMs, type Application, type Tab } from '../application.ts'

const button = '.red-ui-flow-node-button-button'

async function click({ page }: Tab): Promise<void> {
  await changed(page.locator('.red-ui-debug-msg'), () => page.click(button, { timeout: effectMs }))
}

async function save({ page }: Tab, words: string): Promise<void> {
  await page.dblclick('.red-ui-flow-node-group:has(.red-ui-flow-node-button)', {
    position: { x: 70, y: 12 },
    timeout: effectMs,
  })
  await page.fill('#node-input-name', words, { timeout: effectMs })
  await page.click('#node-dialog-ok')
  const [answer] = await Promise.all([
    page.waitForResponse(
      (response) => response.request().method() === 'POST' && response.url().endsWith('/flows'),
      { timeout: effectMs },
    ),
    page.click('#red-ui-header-button-deploy'),
  ])
  if (!answer.ok()) throw new Error(`the deployment was answered with ${answer.status()}`)
}

async function shows({ page }: Tab, words: string): Promise<void> {
  await page.waitForSelector(`#red-ui-workspace-chart :text("${words}")`, { timeout: effectMs })
}

export const nodeRed: Application = {
  folder: 'node-red',
  title: 'Node-RED',
  version: 'node-red --version',
  afterStop: { click, type: save },
  remarks: ['its editor carries no files, only flows as JSON'],
  link: () => '#flow/example',
  async opened({ page }) {
    await page.waitForSelector(button)
    await page.waitForSelector('#red-ui-workspace-chart')
  },
  click,
  type: save,
  work: { save, shows },
}
