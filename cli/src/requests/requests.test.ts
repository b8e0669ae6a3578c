import { describe, expect, test } from 'vitest'
import { requestFromCurl } from './curl.ts'
import { requestsFromHar } from './har.ts'
import { requestFromJson } from './request.ts'
import { splitCommand } from './shell.ts'

describe('a command is split as a shell does it', () => {
  test.each([
    ['a  b\tc', ['a', 'b', 'c']],
    [`a 'b c' "d e"f`, ['a', 'b c', 'd ef']],
    [`'it'\\''s'`, ["it's"]],
    [`"a\\"b\\\\c\\d$x"`, ['a"b\\c\\d$x']],
    ['a \\\n  b', ['a', 'b']],
    ["$'a\\n\\'b\\x41\\u00e9'", ["a\n'bAé"]],
    ["''", ['']],
    ['http://h/?a=1&b=*', ['http://h/?a=1&b=*']],
    ['"a\\\nb"', ['ab']],
  ])('%j', (text, words) => {
    expect(splitCommand(text)).toEqual(words)
  })

  test.each(["'a", '"a', "$'a"])('%s is not closed', (text) => {
    expect(() => splitCommand(text)).toThrow('is not closed')
  })
})

describe('curl', () => {
  const agent = ['user-agent', 'curl/8']
  const accept = ['accept', '*/*']
  const form = ['content-type', 'application/x-www-form-urlencoded']
  const get = { method: 'GET', path: '/', host: 'h', headers: [agent, accept], peer: [] }

  test.each([
    ['curl http://h', get],
    ['curl h', get],
    ['curl -sSkL --url http://h:80/', get],
    ['curl https://h:443', get],
    ['curl http://h:8080/a?b#c', { ...get, host: 'h:8080', path: '/a?b' }],
    ['curl "http://h?a=1"', { ...get, path: '/?a=1' }],
    ['curl http://h/a/../b/./c', { ...get, path: '/b/c' }],
    ['curl --path-as-is http://h/a/../b', { ...get, path: '/a/../b' }],
    ['curl -XPOST http://h', { ...get, method: 'POST' }],
    ['curl -sXPUT http://h', { ...get, method: 'PUT' }],
    ['curl -I http://h', { ...get, method: 'HEAD' }],
    ['curl -T file http://h/f', { ...get, method: 'PUT', path: '/f' }],
    ['curl -d a=1 http://h', { ...get, method: 'POST', headers: [agent, accept, form] }],
    ['curl -G -d a=1 -d b=2 http://h/x?y', { ...get, path: '/x?y&a=1&b=2' }],
    [
      "curl -H 'X-Auth: admin' -H 'Host: other' http://h",
      { ...get, host: 'other', headers: [['x-auth', 'admin'], agent, accept] },
    ],
    ["curl -H 'Accept:' -H 'X-Empty;' http://h", { ...get, headers: [['x-empty', ''], agent] }],
    [
      'curl -A me -b a=1 -e http://r http://h',
      { ...get, headers: [['user-agent', 'me'], accept, ['referer', 'http://r'], ['cookie', 'a=1']] },
    ],
    ['curl -u me:pw http://h', { ...get, headers: [['authorization', 'Basic bWU6cHc='], agent, accept] }],
    ['curl http://me:pw@h', { ...get, headers: [['authorization', 'Basic bWU6cHc='], agent, accept] }],
    [
      `curl --json '{"a":1}' http://h`,
      {
        ...get,
        method: 'POST',
        headers: [agent, ['accept', 'application/json'], ['content-type', 'application/json']],
      },
    ],
  ])('%s', (command, request) => {
    expect(requestFromCurl(command)).toEqual(request)
  })

  test.each([
    ['curl', 'the command has no URL'],
    ['curl http://a http://b', 'the command has 2 URLs: http://a http://b'],
    ['curl --nonsense http://a', "unknown curl option '--nonsense'"],
    ['curl ftp://a/', '"ftp://a/" is no http URL'],
    ['curl -H @file http://a', 'headers from a file (-H @FILE) are not read'],
    ['curl -H nonsense http://a', '"nonsense" is no header: expected NAME: VALUE'],
    ['curl -b jar http://a', 'cookies from a file (-b FILE) are not read'],
  ])('%s: %s', (command, message) => {
    expect(() => requestFromCurl(command)).toThrow(message)
  })
})

test('HTTP archives', () => {
  const request = {
    method: 'POST',
    url: 'https://shop.example/cart?id=1',
    headers: [
      { name: ':authority', value: 'shop.example' },
      { name: 'Cookie', value: 'a=1' },
      { name: 'Host', value: 'shop' },
    ],
  }
  expect(requestsFromHar({ log: { version: '1.2', entries: [{ request }] } })).toEqual([
    { method: 'POST', host: 'shop', path: '/cart?id=1', headers: [['cookie', 'a=1']], peer: [] },
  ])
  expect(() => requestsFromHar({ log: {} })).toThrow('log.entries has to be a list')
  expect(() => requestsFromHar({ log: { entries: [{ request: { url: '/' } }] } })).toThrow(
    'log.entries[0].request needs method and url',
  )
})

describe('JSON', () => {
  test('every field', () => {
    const given = {
      method: 'PUT',
      path: '/a?b',
      host: 'h:1',
      headers: { 'X-A': 'a', 'x-b': ['1', '2'] },
      peer: 'spiffe://td/ns/a/sa/b',
      sourceIp: '10.0.0.1',
      remoteIp: '192.0.2.1',
      sni: 's',
      port: 9090,
      destinationIp: '10.0.0.2',
      claims: { iss: 'i' },
      metadata: { 'envoy.filters.http.x': { k: 'v' } },
    }
    const { remoteIp, ...rest } = given
    const headers = [
      ['x-a', 'a'],
      ['x-b', '1'],
      ['x-b', '2'],
      ['x-forwarded-for', remoteIp],
    ]
    expect(requestFromJson(given)).toEqual({ ...rest, peer: ['spiffe://td/ns/a/sa/b'], headers })
  })

  test.each([
    [5, 'a request has to be a JSON object'],
    [{ methd: 'GET' }, 'unknown field "methd"; did you mean method?'],
    [{ method: 1 }, 'method has to be a string'],
    [{ headers: { a: 1 } }, 'headers.a has to be a string or a list of strings'],
    [{ headers: { 'a b': '1' } }, '"a b" is not a header name'],
    [{ port: 0 }, 'a port is a number from 1 to 65535'],
    [{ remoteIp: '1.2.3.4', headers: { 'X-Forwarded-For': '::1' } }, 'already given by the header x-forwarded-for'],
  ])('%j', (value, message) => {
    expect(() => requestFromJson(value)).toThrow(message)
  })
})
