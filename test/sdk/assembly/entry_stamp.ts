import { Action, entryStamp, HeaderMap, HttpContext } from '@meshscript/sdk'

/** Answers what of the callback changes the stamp, a digit each, and the lines that `all` reads before and after a write. */
export class Stamps extends HttpContext {
  private first: u32 = 0

  onRequestHeaders(endOfStream: bool): Action {
    this.first = entryStamp()
    const headers = this.requestHeaders
    const before = headers.all()
    const count = before.length
    const again = headers.all()
    let told = digit(changetype<usize>(before) == changetype<usize>(again)) + digit(this.isAsBefore())
    headers.add('x-a', '1')
    told += digit(this.isAsBefore()) + (headers.all().length - count).toString()
    headers.set('x-a', '2')
    told += digit(this.isAsBefore()) + headers.all().get('x-a')!.toString()
    headers.remove('x-a')
    told += digit(this.isAsBefore()) + (headers.all().length - count).toString()
    this.becomeEffective()
    told += digit(this.isAsBefore())
    headers.set('x-told', told)
    return Action.Continue
  }

  onResponseHeaders(endOfStream: bool): Action {
    const headers: HeaderMap = this.responseHeaders
    headers.set('x-later', digit(this.isAsBefore()) + digit(headers.all().get(':status')!.equals('200')))
    return Action.Continue
  }

  /** Whether the stamp is still that of the last question. */
  private isAsBefore(): bool {
    const before = this.first
    this.first = entryStamp()
    return this.first == before
  }
}

function digit(value: bool): string {
  return value ? '1' : '0'
}
