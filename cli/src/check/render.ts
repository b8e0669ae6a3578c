/** Shows the results as `linkerd check` does. */

import { type Colors } from '../terminal.ts'
import { type CheckReport, type CheckResult } from './types.ts'

export function renderReport({ success, categories }: CheckReport, colors: Colors): string {
  const blocks = categories.map(({ categoryName, checks }) => {
    const lines = checks.map((check) => renderCheck(check, colors))
    return `${categoryName}\n${'-'.repeat(categoryName.length)}\n${lines.join('')}\n`
  })
  const all = categories.flatMap(({ checks }) => checks)
  const mark = success ? colors.green('√') : colors.red('×')
  const count = (result: CheckResult['result'], word: string) => {
    const number = all.filter((check) => check.result === result).length
    return number ? [`${number} ${word}${number > 1 ? 's' : ''}`] : []
  }
  const counts = [...count('error', 'error'), ...count('warning', 'warning')]
  return `${blocks.join('')}Status check results are ${mark}${counts.length ? `  (${counts.join(', ')})` : ''}\n`
}

function renderCheck({ result, description, error, hint }: CheckResult, colors: Colors): string {
  if (result === 'success') return `${colors.green('√')} ${description}\n`
  const mark = result === 'warning' ? colors.yellow('‼') : colors.red('×')
  const indent = (text: string) => text.replaceAll('\n', '\n    ')
  return `${mark} ${description}\n    ${indent(error ?? '')}\n${hint ? `    ${colors.dim(indent(hint))}\n` : ''}`
}
