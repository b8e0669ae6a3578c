/** What tells filters of one VM that what they have read still holds. */

import { createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, expect, it } from 'vitest'
import filter from './assembly/entry_stamp.ts?filter'

let host: Host
afterAll(() => host?.close())

it('is the same until the host enters anew, a header is written, or another stream is acted on', async () => {
  host = await createHost({ wasm: filter })
  for (let i = 0; i < 3; i++) {
    const response = await host.request('/', { headers: { 'x-other': `${i}` } })
    // all() is the same list, the stamp too; then one line more, another value, as many lines as before, and always another stamp.
    expect(response.upstream?.headers.get('x-told')).toBe('11' + '01' + '02' + '00' + '0')
    expect(response.headers.get('x-later')).toBe('01')
  }
})
