import type { Case } from './case.ts'

/** The cases as a table of Markdown, which is readable in a terminal too. */
export function tableOf(cases: readonly Case[]): string {
  const rows = cases.map((one) => [
    one.case,
    `${figure(one.ours)} ${one.unit}`,
    `${figure(one.reference)} ${one.unit}`,
    `${one.ratio.toFixed(2)}x ± ${one.spread.toFixed(2)}`,
    one.target,
    one.holds ? 'holds' : 'missed',
  ])
  const all = [['case', 'ours', 'reference', 'ratio', 'target', ''], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const lines = all.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join(' | ')} |`,
  )
  const rule = `| ${(widths ?? []).map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

/** Three digits that say something. */
export function figure(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.001))))
  return value.toFixed(Math.min(3, digits))
}
