/** Whether a text is a regular expression of RE2, which the filters match in linear time. */

/** What RE2 leaves out, since it can't be matched in linear time. */
const unsupported: readonly (readonly [RegExp, string, string])[] = [
  [/\(\?<?[=!]/, 'look-ahead and look-behind', 'match what is wanted instead of what is not, or write two rules'],
  [/\\([1-7](?![0-7])|[89])/, 'back-references', 'write out what may be repeated'],
  [/\(\?>|[*+?]\+/, 'atomic groups and possessive quantifiers', 'leave them out: the result is the same'],
]

const mostRepetitions = 1000

/** Why a text is not one, with what to write instead. What this lets pass and RE2 doesn't is refused by the filter. */
export function checkRegex(text: string): { message: string; hint?: string } | undefined {
  // Escaped characters and classes hold no operators.
  const unquoted = text.replace(/\\Q(.*?)(\\E|$)/gs, (_, quoted: string) => quoted.replace(/\W/g, '_'))
  const bare = unquoted.replace(/\\[^1-9]/g, '__').replace(/\[\^?\]?(\[:\^?\w+:\]|[^\]])*\]/g, '_')
  for (const [form, name, hint] of unsupported) {
    if (form.test(bare)) return { message: `${JSON.stringify(text)}: RE2 has no ${name}`, hint }
  }
  for (const [, low, high] of bare.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    if (Math.max(Number(low), Number(high ?? 0)) <= mostRepetitions) continue
    return { message: `${JSON.stringify(text)}: RE2 repeats at most ${mostRepetitions} times` }
  }
  try {
    // What differs from JavaScript's forms, and is of no matter for their check.
    const script = unquoted
      .replace(/\\x\{[^}]*\}|\\[pP](\{[^}]*\}|\w)/g, '_')
      .replace(/\(\?[imsU]*(-[imsU]+)?:/g, '(?:')
      .replace(/\(\?[imsU]*(-[imsU]+)?\)/g, '(?:)')
      .replace(/\(\?P</g, '(?<')
      // In RE2 an assertion may be repeated.
      .replace(
        /(\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])|\\[^bBAz]|\\[bBAz]|[$^]/gs,
        (all: string, set: string | undefined) => set ?? (/^(\\[bBAz]|[$^])$/.test(all) ? '(?:)' : all),
      )
    new RegExp(script)
    return undefined
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: .*: /s, '').toLowerCase()
    return { message: `${JSON.stringify(text)} is not a valid regular expression: ${reason}` }
  }
}

/** A text as an expression that matches just it. */
export const escapeRegex = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
