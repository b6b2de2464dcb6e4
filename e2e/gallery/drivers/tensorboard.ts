// TensorBoard, with the run that `gallery/tensorboard` makes. The button for reloading asks the server for all data again.
import { effectMs, type Application, type Tab } from '../application.ts'

async function click({ page }: Tab): Promise<void> {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().includes('/timeSeries'), {
      timeout: effectMs,
    }),
    page.click('app-header-reload button', { timeout: effectMs }),
  ])
  if (!answer.ok()) throw new Error(`the data were answered with ${answer.status()}`)
}

export const tensorboard: Application = {
  folder: 'tensorboard',
  title: 'TensorBoard',
  version: 'tensorboard --version 2>/dev/null',
  afterStop: { click },
  remarks: ['its page only reads: nothing is typed, saved or carried that the server would answer'],
  link: () => '?tagFilter=loss#timeseries',
  async opened({ page }) {
    await page.waitForSelector('card-view :text("loss")')
  },
  click,
}
