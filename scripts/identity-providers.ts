// The lines that docs/identity-providers.md gives for each provider: `.env.example` has them too.

export interface ProviderLines {
  readonly provider: string
  readonly lines: readonly string[]
}

/** @param page the text of docs/identity-providers.md */
export function providerLines(page: string): readonly ProviderLines[] {
  return page.split(/^## /m).flatMap((section) => {
    const [provider = ''] = section.split('\n', 1)
    const [, block] = /^```sh\n([^]*?)^```$/m.exec(section) ?? []
    return block === undefined ? [] : [{ provider, lines: block.trim().split('\n') }]
  })
}
