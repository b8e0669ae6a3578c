/** What `meshscript observe` receives, and what it does with senders that mean no good. */
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../../../cli/src/testing.ts'
import { denied, flows, linesOf, record, request, response } from './flows.ts'
import { Observing } from './observing.ts'

const MEGABYTE = 1 << 20
const NDJSON = { 'content-type': 'application/x-ndjson' }

let folder: CliFolder
let observing: Observing | undefined
beforeEach(() => (folder = new CliFolder({ 'flows.ndjson': linesOf(flows) })))
afterEach(async () => {
  await observing?.stop()
  observing = undefined
  folder.remove()
})

const start = async (options = '') => (observing = await Observing.start(folder, options))
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ ...request, Summary: `flow ${from + index};` }))
const shown = (text: string) => [...text.matchAll(/flow (\d+);/g)].map(([, number]) => Number(number))
const ok = { status: 200, body: {} }

describe('what is received', () => {
  test('is printed as it comes, as if it were read from a file', async () => {
    const observing = await start()
    expect(await observing.post(linesOf([record(request)]))).toEqual(ok)
    expect(observing.stdout.split('\n')).toHaveLength(2)
    expect(
      await observing.post(linesOf(flows.slice(1)).trimEnd(), {
        ...NDJSON,
        'content-type': 'Application/X-NDJSON; charset=utf-8',
      }),
    ).toEqual(ok)
    const { stdout } = await folder.run('observe flows.ndjson')
    expect(await observing.stop()).toMatchObject({ code: 0, stdout })
  })

  test('is filtered', async () => {
    const observing = await start('--verdict DROPPED --print-policy-names')
    expect(await observing.post(linesOf([request, response, denied]))).toEqual(ok)
    const { code, stdout } = await observing.stop()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[^\n]* DROPPED BY rule1 \(CiliumNetworkPolicy\) [^\n]*\n$/)
  })

  test('may be many batches at once', async () => {
    const observing = await start('-o jsonpb')
    const batches = Array.from({ length: 50 }, (_, index) => linesOf(numbered(index * 100, (index + 1) * 100)))
    const answers = await Promise.all(batches.map((batch) => observing.post(batch)))
    expect(answers).toEqual(batches.map(() => ok))
    const numbers = shown((await observing.stop()).stdout)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, index) => index))
  })

  test('of an empty batch is nothing', async () => {
    const observing = await start()
    for (const body of ['', '\n', '\r\n']) expect(await observing.post(body)).toEqual(ok)
    expect(await observing.stop()).toMatchObject({ code: 0, stdout: '' })
  })
})

describe('what is kept', () => {
  test('with --last: so many', async () => {
    const observing = await start('--last 3')
    await observing.post(linesOf(numbered(0, 5000)))
    await observing.post(linesOf(numbered(5000, 5002)))
    expect(observing.stdout).toBe('')
    expect(shown((await observing.stop()).stdout)).toEqual([4999, 5000, 5001])
  })

  test('with --last and --follow: nothing, all is printed at once', async () => {
    const observing = await start('--last 3 --follow')
    await observing.post(linesOf(numbered(0, 10)))
    expect(shown(observing.stdout)).toHaveLength(10)
  })

  test('of a table: the last twenty', async () => {
    const observing = await start('-o table')
    await observing.post(linesOf(numbered(0, 100)))
    const { stdout } = await observing.stop()
    expect(stdout).toMatch(/^TIMESTAMP /)
    expect(shown(stdout)).toEqual(Array.from({ length: 20 }, (_, index) => 80 + index))
  })

  test('with --all: all', async () => {
    const observing = await start('-o table --all')
    await observing.post(linesOf(numbered(0, 100)))
    expect(shown((await observing.stop()).stdout)).toHaveLength(100)
  })

  test('is no more than has room', async () => {
    const observing = await start('--all -o jsonpb')
    const large = (number: number) => ({ ...request, Summary: `flow ${number};`, node_labels: ['x'.repeat(900_000)] })
    for (let number = 0; number < 100; number += 10) {
      const batch = Array.from({ length: 10 }, (_, index) => large(number + index))
      expect(await observing.post(linesOf(batch))).toEqual(ok)
    }
    const { stdout } = await observing.stop()
    const numbers = shown(stdout)
    expect(numbers.at(-1)).toBe(99)
    expect(numbers.length).toBe(Math.floor((64 * MEGABYTE) / linesOf([large(10)]).length))
    expect(observing.stderr).toContain(`${100 - numbers.length} older flows were left out: they took too much memory`)
  })

  test('with --first: so many, and it ends', async () => {
    const observing = await start('--first 2 --verdict FORWARDED')
    await observing.post(linesOf([denied]))
    expect(await observing.post(linesOf([...numbered(0, 1), denied, ...numbered(1, 9)]))).toEqual(ok)
    const { code, stdout } = await observing.ended
    expect({ code, shown: shown(stdout) }).toEqual({ code: 0, shown: [0, 1] })
  })
})

describe('what is refused', () => {
  test('lines that are no flows; those around them are taken', async () => {
    const observing = await start()
    const lines = [linesOf(numbered(0, 1)), '{"flow":\n', '\n', '[1]\n', '{"a":1}\n', 'text\n', linesOf(numbered(1, 2))]
    const { status, body } = await observing.post(lines.join(''))
    expect({ status, message: body.error!.message }).toEqual({
      status: 400,
      message: '4 of 7 lines are no flow records; the others were taken',
    })
    expect(body.error!.lines).toEqual([
      { line: 2, message: 'not valid JSON: the object has no end' },
      { line: 4, message: 'no flow record' },
      { line: 5, message: 'no flow record: it has neither `flow` nor the members of a flow' },
      { line: 6, message: 'no flow record' },
    ])
    expect(shown(observing.stdout)).toEqual([0, 1])
    expect(observing.stderr).toContain('meshscript: 127.0.0.1:2: not valid JSON: the object has no end\n')
  })

  test.each<[string, object]>([
    ['flow.l4.TCP.source_port: expected a whole number', { l4: { TCP: { source_port: 'http' } } }],
    ['flow.verdict: expected a name in capital letters', { verdict: '\u001b[2J' }],
    ['flow.verdict: expected a name in capital letters', { verdict: 'constructor' }],
    ['flow.time: expected a time like 2006-01-02T15:04:05.999Z', { time: 'now' }],
    ['flow.is_reply: expected true or false', { is_reply: 1 }],
    ['flow.source: expected an object', { source: ['a'] }],
    ['flow.source.labels: expected a list of texts', { source: { labels: [1] } }],
    ['flow.l7.http.headers[1].value: expected a text', { l7: { http: { headers: [{}, { value: {} }] } } }],
    ['flow.ingress_denied_by: expected a list of objects', { ingress_denied_by: [null] }],
    ['flow.l7.latency_ns: expected a whole number', { l7: { latency_ns: 1.5 } }],
  ])('%s', async (message, wrong) => {
    const observing = await start()
    const { status, body } = await observing.post(linesOf([{ ...request, ...wrong }]))
    expect({ status, lines: body.error?.lines }).toEqual({ status: 400, lines: [{ line: 1, message }] })
    expect(observing.stdout).toBe('')
  })

  test('other paths, methods, types and encodings', async () => {
    const observing = await start()
    const body = linesOf([request])
    const other = new URL('/other', observing.url)
    const send = async (url: string | URL, init: RequestInit) => {
      const answer = await fetch(url, init)
      return { status: answer.status, text: await answer.text(), allow: answer.headers.get('allow') }
    }
    expect(await send(other, { method: 'POST', body, headers: NDJSON })).toMatchObject({ status: 404 })
    expect(await send(new URL('/', observing.url), {})).toMatchObject({ status: 404 })
    expect(await send(observing.url, {})).toMatchObject({ status: 405, allow: 'POST' })
    expect(await send(observing.url, { method: 'POST', body })).toMatchObject({ status: 415 })
    const gzip = { ...NDJSON, 'content-encoding': 'gzip' }
    expect(await send(observing.url, { method: 'POST', body, headers: gzip })).toMatchObject({
      status: 415,
      text: '{"error":{"message":"content-encoding gzip is not taken; send it as it is"}}',
    })
    expect(observing.stdout).toBe('')
    expect(await observing.post(body)).toEqual(ok)
  })

  test('bodies of more than 16 MiB, with and without their length', async () => {
    const observing = await start('-o jsonpb')
    const line = linesOf(numbered(0, 1))
    const most = line.repeat(Math.floor((16 * MEGABYTE) / line.length))
    expect(await observing.post(most)).toEqual(ok)
    expect((await observing.post(most + line)).status).toBe(413)
    const chunks = Array.from({ length: 17 }, () => Buffer.alloc(MEGABYTE, 10))
    expect(await observing.post(chunks)).toMatchObject({
      status: 413,
      body: { error: { message: 'a body has at most 16777216 bytes; send smaller batches' } },
    })
    expect(await observing.post(line)).toEqual(ok)
  })

  test('an address that is none, or is taken', async () => {
    const observing = await start()
    const { port } = new URL(observing.url)
    for (const wrong of ['here', 'a:b:1', '70000', '[::1', '[x]:1', ':1']) {
      const { code, stderr } = await folder.run(['observe', '--listen', wrong])
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `meshscript: OBS001: --listen ${JSON.stringify(wrong)}: expected PORT, HOST:PORT or [ADDRESS]:PORT\n`,
      })
    }
    expect(await folder.run(`observe --listen 127.0.0.1:${port}`)).toEqual({
      code: 1,
      stdout: '',
      stderr: `meshscript: OBS005: cannot listen at 127.0.0.1:${port}: the port is in use; name another by --listen [HOST:]PORT\n`,
    })
  })
})

describe('it stays up with', () => {
  /** Sends it as it is, and answers what comes back. */
  function raw(bytes: string | Buffer, close = true): Promise<string> {
    const { hostname, port } = new URL(observing!.url)
    return new Promise((resolve) => {
      let text = ''
      const socket = connect(Number(port), hostname, () => (close ? socket.end(bytes) : socket.write(bytes)))
      socket.setEncoding('utf8').on('data', (piece) => (text += String(piece)))
      socket.on('error', () => {}).on('close', () => resolve(text))
      if (!close) setTimeout(() => socket.resetAndDestroy(), 50)
    })
  }

  const head = 'POST /flows HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-ndjson\r\n'

  afterEach(async () => {
    const before = shown(observing!.stdout).length
    expect(await observing!.post(linesOf(numbered(7, 8)))).toEqual(ok)
    expect(shown(observing!.stdout)).toHaveLength(before + 1)
    expect((await observing!.stop()).code).toBe(0)
  })

  test.each<[string, string | Buffer]>([
    ['nesting', `{"flow":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ['lists in lists', `{"verdict":${'['.repeat(500_000)}`],
    ['a line without an end', `{"flow":{"uuid":"${'x'.repeat(2 * MEGABYTE)}`],
    ['quotes', `{"flow":{"uuid":"${'\\"'.repeat(500_000)}`],
    ['backslashes', `{"flow":{"uuid":"${'\\'.repeat(1_000_000)}`],
    [
      'bytes that are no text',
      Buffer.concat([Buffer.from('{"flow":{"uuid":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}}')]),
    ],
    ['control characters', 'flow {"\u001b[2J'],
    ['zeros', Buffer.alloc(100_000)],
  ])('%s', async (_, body) => {
    const observing = await start()
    const { status, body: answer } = await observing.post(body)
    expect(status).toBe(400)
    expect(answer.error!.lines).toHaveLength(1)
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(observing.stderr).not.toMatch(/[\0-\x09\x0b-\x1f]/)
    expect(observing.stderr.length).toBeLessThan(400)
  })

  test('members that objects have anyway', async () => {
    const observing = await start('-o jsonpb')
    const line =
      '{"flow":{"verdict":"FORWARDED","__proto__":{"l7":1},"constructor":1,"toString":2},"__proto__":{"time":3}}'
    expect(await observing.post(line)).toEqual(ok)
    expect(observing.stdout).toBe(`${line}\n`)
    expect(({} as { l7?: unknown }).l7).toBeUndefined()
  })

  test('many bad lines: after a thousand of them a batch is not read on', async () => {
    const observing = await start()
    const { status, body } = await observing.post('{}\n'.repeat(5_000_000) + linesOf([request]))
    expect({ status, message: body.error!.message, lines: body.error!.lines!.length }).toEqual({
      status: 400,
      message: '1000 of 1000 lines are no flow records; the rest was not read',
      lines: 20,
    })
    const { stdout, stderr } = await observing.stop()
    expect(stdout).toBe('')
    expect(stderr.trimEnd().split('\n')).toHaveLength(13)
    expect(stderr).toContain('meshscript: 1000 lines were no flow records\n')
    await start()
  })

  test('senders that do not speak HTTP, go away or never go on', async () => {
    await start()
    expect(await raw('\u0016\u0003\u0001\u0002')).toContain('400 Bad Request')
    expect(await raw(`${head}content-length: -1\r\n\r\n`)).toContain('400 Bad Request')
    await raw(`${head}content-length: 1000\r\n\r\n{"flow":`)
    await Promise.all(Array.from({ length: 100 }, () => raw(`${head}content-length: 1000\r\n\r\n{"fl`, false)))
    await raw(head, false)
    expect(shown(observing!.stdout)).toEqual([])
  })

  test('more at once than it holds', async () => {
    const observing = await start('-o jsonpb')
    const { hostname, port } = new URL(observing.url)
    // Six that stop just before they end.
    const size = 15 * MEGABYTE
    const sockets = Array.from({ length: 6 }, () => connect(Number(port), hostname))
    let answered = ''
    for (const socket of sockets) {
      socket.on('error', () => {}).on('data', (piece) => (answered += String(piece)))
      socket.write(`${head}content-length: ${size}\r\n\r\n`)
      socket.write(Buffer.alloc(size - 1, 10))
    }
    await expect.poll(() => answered, { timeout: 10_000 }).toContain('503 Service Unavailable')
    expect(answered).toMatch(/retry-after: 1/i)
    for (const socket of sockets) socket.destroy()
    await expect.poll(async () => (await observing.post(Buffer.alloc(size, 10))).status, { timeout: 10_000 }).toBe(200)
  })
})
