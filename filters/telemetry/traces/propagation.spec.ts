/** How traces go on: what is read of the callers' headers, and told to what follows. The same on both hosts. */
import { describe, expect, test } from 'vitest'
import { host, SPAN, TRACE } from '../testing.ts'
import { sent, start, traceparent } from './testing.ts'

describe('what follows is told of the span', () => {
  test('W3C: the trace goes on', async () => {
    await start({})
    const response = await host.request({ headers: { traceparent: traceparent(), tracestate: 'a=1,b=2' } })
    expect(sent(response, 'traceparent')).toMatch(new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-01$`))
    expect(sent(response, 'tracestate')).toBe('a=1,b=2')
  })

  test('W3C: not sampled stays so', async () => {
    await start({})
    const response = await host.request({ headers: { traceparent: traceparent('00') } })
    expect(sent(response, 'traceparent')).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  })

  test.each([
    ['none', undefined],
    ['one in capitals', traceparent().toUpperCase()],
    ['version ff', traceparent().replace(/^00/, 'ff')],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['more than version 00 has', `${traceparent()}-00`],
    ['one that is too short', traceparent().slice(0, 54)],
    ['another character', traceparent().replace('4bf', '4bg')],
    ['another separator', traceparent().replace('-', '_')],
  ])('W3C: %s begins a trace, and drops the state of the other one', async (_, value) => {
    await start({})
    const headers = { ...(value !== undefined && { traceparent: value }), tracestate: 'a=1' }
    const response = await host.request({ headers })
    const parent = sent(response, 'traceparent')
    expect(parent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(parent).not.toContain(TRACE)
    expect(sent(response, 'tracestate')).toBeUndefined()
  })

  test('W3C: later versions may have more', async () => {
    await start({})
    const response = await host.request({ headers: { traceparent: `cc${traceparent().slice(2)}-what-ever` } })
    expect(sent(response, 'traceparent')).toMatch(new RegExp(`^00-${TRACE}-`))
  })

  test.each([
    ['128 bits', `${TRACE}-${SPAN}-1`, new RegExp(`^${TRACE}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['64 bits', `${SPAN}-${SPAN}-1`, new RegExp(`^${SPAN}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['no decision', `${TRACE}-${SPAN}`, new RegExp(`^${TRACE}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['not sampled', `${TRACE}-${SPAN}-0`, new RegExp(`^${TRACE}-[0-9a-f]{16}-0-${SPAN}$`)],
    ['debug', `${TRACE}-${SPAN}-d`, new RegExp(`^${TRACE}-[0-9a-f]{16}-d-${SPAN}$`)],
    ['a parent', `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90`, new RegExp(`^${TRACE}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['a decision only', '0', /^[0-9a-f]{32}-[0-9a-f]{16}-0$/],
    ['debug only', 'd', /^[0-9a-f]{32}-[0-9a-f]{16}-d$/],
    ['a decision that is none', `${TRACE}-${SPAN}-2`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['a parent that is none', `${TRACE}-${SPAN}-0-05e3`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['a trace that is none', `${TRACE}0-${SPAN}-0`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['no span', `${TRACE}-`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['nothing', '-', /^[0-9a-f]{32}-[0-9a-f]{16}-1$/],
  ])('B3 in one header: %s', async (_, b3, expected) => {
    await start({ propagation: ['b3'] })
    expect(sent(await host.request({ headers: { b3 } }), 'b3')).toMatch(expected)
  })

  test.each<[string, Record<string, string>, Record<string, RegExp | undefined>]>([
    [
      'a trace goes on',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-parentspanid': '05e3ac9a4f6e3b90', 'x-b3-sampled': '1' },
      { 'x-b3-traceid': new RegExp(`^${TRACE}$`), 'x-b3-parentspanid': new RegExp(`^${SPAN}$`), 'x-b3-sampled': /^1$/ },
    ],
    [
      'true and false',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': 'false' },
      { 'x-b3-traceid': new RegExp(`^${TRACE}$`), 'x-b3-sampled': /^0$/, 'x-b3-flags': undefined },
    ],
    [
      'debug',
      { 'x-b3-traceid': SPAN, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' },
      { 'x-b3-traceid': new RegExp(`^${SPAN}$`), 'x-b3-sampled': /^1$/, 'x-b3-flags': /^1$/ },
    ],
    [
      'a decision only',
      { 'x-b3-sampled': '0' },
      { 'x-b3-traceid': /^[0-9a-f]{32}$/, 'x-b3-parentspanid': undefined, 'x-b3-sampled': /^0$/ },
    ],
    [
      'no span: the parent of another trace is forgotten',
      { 'x-b3-traceid': TRACE, 'x-b3-parentspanid': SPAN },
      { 'x-b3-traceid': /^(?!4bf)[0-9a-f]{32}$/, 'x-b3-parentspanid': undefined, 'x-b3-sampled': /^1$/ },
    ],
  ])('B3 in several headers: %s', async (_, headers, expected) => {
    await start({ propagation: ['b3multi'] })
    const response = await host.request({ headers })
    for (const [name, value] of Object.entries(expected)) {
      if (value) expect(sent(response, name)).toMatch(value)
      else expect(sent(response, name)).toBeUndefined()
    }
    expect(sent(response, 'x-b3-spanid')).toMatch(/^[0-9a-f]{16}$/)
    expect(sent(response, 'x-b3-spanid')).not.toBe(SPAN)
  })

  const [LOW, PARENT] = [BigInt('0xa3ce929d0e0e4736').toString(), BigInt(`0x${SPAN}`).toString()]
  test.each<[string, Record<string, string>, Record<string, string | RegExp | undefined>]>([
    [
      '128 bits',
      { 'x-datadog-trace-id': LOW, 'x-datadog-tags': '_dd.p.dm=-1,_dd.p.tid=4bf92f3577b34da6' },
      { 'x-datadog-trace-id': LOW, 'x-datadog-tags': '_dd.p.dm=-1,_dd.p.tid=4bf92f3577b34da6' },
    ],
    ['64 bits', { 'x-datadog-trace-id': LOW }, { 'x-datadog-trace-id': LOW, 'x-datadog-tags': undefined }],
    [
      'kept by the user',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '2' },
      { 'x-datadog-sampling-priority': '2' },
    ],
    [
      'dropped by the user',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '-1' },
      { 'x-datadog-sampling-priority': '-1' },
    ],
    [
      'not sampled',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '0' },
      { 'x-datadog-sampling-priority': '0' },
    ],
    [
      'a priority that is none',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '9' },
      { 'x-datadog-sampling-priority': '1' },
    ],
    [
      'a number of more than 64 bits',
      { 'x-datadog-trace-id': '18446744073709551616' },
      { 'x-datadog-trace-id': /^[0-9]{1,20}$/, 'x-datadog-tags': /^_dd\.p\.tid=[0-9a-f]{16}$/ },
    ],
    [
      'the largest number',
      { 'x-datadog-trace-id': '18446744073709551615' },
      { 'x-datadog-trace-id': '18446744073709551615' },
    ],
  ])('Datadog: %s', async (_, headers, expected) => {
    await start({ propagation: ['datadog'] })
    const response = await host.request({ headers: { 'x-datadog-parent-id': PARENT, ...headers } })
    for (const [name, value] of Object.entries(expected)) {
      if (value instanceof RegExp) expect(sent(response, name)).toMatch(value)
      else expect(sent(response, name)).toBe(value)
    }
    expect(sent(response, 'x-datadog-parent-id')).not.toBe(PARENT)
  })

  test('several forms: the first that names a trace counts, all are written', async () => {
    await start({ propagation: ['w3c', 'b3', 'b3multi', 'datadog'] })
    const response = await host.request({ headers: { b3: `${TRACE}-${SPAN}-0`, tracestate: 'a=1' } })
    const [, trace, span, flags] = sent(response, 'traceparent')!.split('-')
    expect([trace, flags]).toEqual([TRACE, '00'])
    expect(sent(response, 'tracestate')).toBeUndefined()
    expect(sent(response, 'b3')).toBe(`${TRACE}-${span}-0-${SPAN}`)
    expect(sent(response, 'x-b3-spanid')).toBe(span)
    expect(sent(response, 'x-datadog-parent-id')).toBe(BigInt(`0x${span}`).toString())
    expect(sent(response, 'x-datadog-tags')).toBe(`_dd.p.tid=${TRACE.slice(0, 16)}`)
  })

  test('or not: inject is false', async () => {
    await start({ inject: false })
    const response = await host.request({ headers: { traceparent: traceparent() } })
    expect(sent(response, 'traceparent')).toBe(traceparent())
    expect(sent(await host.request(), 'traceparent')).toBeUndefined()
  })

  test('or not: no form is named', async () => {
    await start({ propagation: [] })
    expect(sent(await host.request({ headers: { tracestate: 'a=1' } }), 'traceparent')).toBeUndefined()
  })

  test('a request gets an id', async () => {
    await start({})
    const id = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    expect(sent(await host.request(), 'x-request-id')).toMatch(id)
    const own = { 'x-request-id': 'mine' }
    expect(sent(await host.request({ headers: own }), 'x-request-id')).toBe('mine')
  })
})
