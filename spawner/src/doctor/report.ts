// The findings as text for people, or as JSON for programs. Pure.
import type { Finding } from './finding.ts'

const marks = { ok: 'ok', warning: 'WARNING', fault: 'FAULT' } as const

export const isInOrder = (findings: readonly Finding[]): boolean =>
  findings.every(({ status }) => status !== 'fault')

export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.map(({ check, status, says, remedy }) => {
    const line = `${marks[status].padEnd(7)}  ${check.padEnd(width)}  ${oneLine(says)}`
    return remedy === undefined
      ? line
      : `${line}${/[?!]$/.test(line) ? '' : '.'} To do: ${oneLine(remedy)}`
  })
  return [...lines, summary(findings)].join('\n') + '\n'
}

export function findingsJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ ok: isInOrder(findings), findings }, undefined, 2)}\n`
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: Finding['status']) =>
    findings.filter(({ status }) => status === wanted).length
  const [faults, warnings] = [count('fault'), count('warning')]
  if (faults + warnings === 0) return 'everything is in order'
  return `${faults} fault(s), ${warnings} warning(s)`
}

/** The words of the engine or of a registry may have several lines. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replace(/\.$/, '').trim()
