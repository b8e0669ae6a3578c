/** Routes beyond the recorded ones: each as a VirtualService's, and as Envoy's own router takes it (by the API's reference, as istiod writes it). */
import type { Json } from '@meshscript/sdk/testing/envoy/index'

export interface Further {
  name: string
  /** Entries of `http` of a VirtualService, as YAML; destinations are the hosts a, b and c. */
  http: string
  /** The same for Envoy. */
  routes: Json[]
  requests: {
    method?: string
    path?: string
    headers?: [string, string][]
    /** What the upstreams do at first; then they answer 200. */
    backend?: { status: number; first: number }
  }[]
}

export const clusterOf = (host: string): string => `outbound|80||${host}.default.svc.cluster.local`
const to = (host: string) => `route: [{destination: {host: ${host}}}]`
const route = (host: string, more: Json = {}): Json => ({ cluster: clusterOf(host), timeout: '0s', ...more })
const other: Json = { match: { prefix: '/' }, route: route('c') }
const OTHERS = `\n- ${to('c')}`
const header = (name: string, string_match: Json, more: Json = {}): Json => ({ name, string_match, ...more })
const paths = (...list: string[]) => list.map((path) => ({ path }))
const lines = (...list: [string, string][]) => ({ headers: list })

const simple = (name: string, match: string, native: Json, requests: Further['requests']): Further => ({
  name,
  http: `- match: [{${match}}]\n  ${to('a')}${OTHERS}`,
  routes: [{ match: { prefix: '/', ...native }, route: route('a') }, other],
  requests,
})

const added = (key: string, value: string, append_action: string): Json => ({ header: { key, value }, append_action })
const ADD = 'APPEND_IF_EXISTS_OR_ADD'
const SET = 'OVERWRITE_IF_EXISTS_OR_ADD'
const regex = (text: string): Json => ({ safe_regex: { regex: text } })

export const further: Further[] = [
  {
    ...simple('an exact path', 'uri: {exact: /a}', {}, paths('/a', '/a?x=1', '/a/', '/A', '/a%2f', '/a;b', '/a#f')),
    routes: [{ match: { path: '/a' }, route: route('a') }, other],
  },
  simple('a prefix', 'uri: {prefix: /a/b}', { prefix: '/a/b' }, paths('/a/b', '/a/bc', '/a/b/c?d', '/a', '/A/b', '/a//b')),
  simple(
    'a prefix in any case',
    'uri: {prefix: /Ab}, ignoreUriCase: true',
    { prefix: '/Ab', case_sensitive: false },
    paths('/ab', '/AB/c', '/a'),
  ),
  {
    ...simple('a regular expression', 'uri: {regex: "/r/[0-9]+(/x)?"}', {}, paths('/r/1', '/r/12/x', '/r/12/x/y', '/r/', '/r/1?q', '/R/1')),
    routes: [{ match: { safe_regex: { regex: '/r/[0-9]+(/x)?' } }, route: route('a') }, other],
  },
  simple(
    'headers',
    'headers: {x-a: {exact: one}, x-b: {prefix: t}, x-c: {regex: "th.*e"}, x-d: {}}',
    {
      headers: [
        header('x-a', { exact: 'one' }),
        header('x-b', { prefix: 't' }),
        header('x-c', regex('th.*e')),
        { name: 'x-d', present_match: true },
      ],
    },
    [
      lines(['x-a', 'one'], ['x-b', 'two'], ['x-c', 'three'], ['x-d', '4']),
      lines(['x-a', 'one'], ['x-b', 'two'], ['x-c', 'three'], ['x-d', '']),
      lines(['x-a', 'one'], ['x-b', 'two'], ['x-c', 'three']),
      lines(['x-a', 'ONE'], ['x-b', 'two'], ['x-c', 'three'], ['x-d', '4']),
      lines(['x-a', 'one'], ['x-b', ''], ['x-c', 'three'], ['x-d', '4']),
      lines(['x-a', 'one'], ['x-b', 'two'], ['x-c', 'threes'], ['x-d', '4']),
      lines(['X-A', 'one'], ['X-B', 'two'], ['X-C', 'three'], ['X-D', '4']),
    ],
  ),
  simple('a header that is there twice', 'headers: {x-a: {exact: one}}', { headers: [header('x-a', { exact: 'one' })] }, [
    lines(['x-a', 'one'], ['x-a', 'two']),
    lines(['x-a', 'two'], ['x-a', 'one']),
    lines(['x-a', 'one,two']),
    lines(['x-a', 'one'], ['x-a', 'one']),
  ]),
  simple(
    'a prefix and a regular expression of a header that is there twice',
    'headers: {x-a: {prefix: one}, x-b: {regex: "b,?c?"}}',
    { headers: [header('x-a', { prefix: 'one' }), header('x-b', regex('b,?c?'))] },
    [
      lines(['x-a', 'one'], ['x-a', 'two'], ['x-b', 'b']),
      lines(['x-a', 'two'], ['x-a', 'one'], ['x-b', 'b']),
      lines(['x-a', 'one'], ['x-b', 'b'], ['x-b', 'c']),
      lines(['x-a', 'one'], ['x-b', 'c'], ['x-b', 'b']),
    ],
  ),
  simple(
    'without headers',
    'withoutHeaders: {x-a: {exact: one}, x-b: {}}',
    {
      headers: [
        header('x-a', { exact: 'one' }, { invert_match: true, treat_missing_header_as_empty: true }),
        { name: 'x-b', present_match: true, invert_match: true },
      ],
    },
    [{}, lines(['x-a', 'one']), lines(['x-a', 'two']), lines(['x-b', '']), lines(['x-a', '']), lines(['x-a', 'one'], ['x-a', 'two'])],
  ),
  simple(
    'query parameters',
    'queryParams: {v: {exact: "2"}, w: {regex: "a+"}}',
    {
      query_parameters: [
        { name: 'v', string_match: { exact: '2' } },
        { name: 'w', string_match: regex('a+') },
      ],
    },
    paths('/?v=2&w=aa', '/?w=a&v=2', '/?v=2&w=', '/?v=2', '/?v=1&v=2&w=a', '/?v=2&v=1&w=a', '/?V=2&w=a', '/?v=%32&w=a', '/?v=2&w=a#x', '/x?&v=2&&w=a'),
  ),
  simple('a parameter that is there', 'queryParams: {v: {}}', { query_parameters: [{ name: 'v', present_match: true }] }, paths('/?v', '/?v=', '/?v=1', '/?a=v', '/')),
  simple('a method', 'method: {regex: "PUT|DELETE"}', { headers: [header(':method', regex('PUT|DELETE'))] }, [
    { method: 'PUT' },
    { method: 'DELETE' },
    { method: 'GET' },
  ]),
  {
    name: 'the first of several, each with alternatives',
    http: `- match: [{uri: {prefix: /x}, headers: {h: {exact: "1"}}}, {uri: {exact: /y}}]\n  ${to('a')}\n- match: [{uri: {prefix: /}, method: {exact: GET}}]\n  ${to('b')}${OTHERS}`,
    routes: [
      { match: { prefix: '/x', headers: [header('h', { exact: '1' })] }, route: route('a') },
      { match: { path: '/y' }, route: route('a') },
      { match: { prefix: '/', headers: [header(':method', { exact: 'GET' })] }, route: route('b') },
      other,
    ],
    requests: [
      { path: '/x', ...lines(['h', '1']) },
      { path: '/x', ...lines(['h', '2']) },
      { path: '/y', method: 'POST' },
      { path: '/z', method: 'POST' },
      { path: '/z' },
    ],
  },
  {
    name: 'rewritten paths and hosts',
    http: [
      `- match: [{uri: {prefix: /pre}}]\n  rewrite: {uri: /new}\n  ${to('a')}`,
      `- match: [{uri: {prefix: /slash/}}]\n  rewrite: {uri: /}\n  ${to('a')}`,
      `- match: [{uri: {exact: /exact}}]\n  rewrite: {uri: /whole, authority: other.test}\n  ${to('a')}`,
      `- match: [{uri: {prefix: /re}}]\n  rewrite: {uriRegexRewrite: {match: "^/re/([^/]+)/(.*)$", rewrite: "/\\\\2/\\\\1"}}\n  ${to('a')}`,
      `- rewrite: {authority: all.test}\n  ${to('c')}`,
    ].join('\n'),
    routes: [
      { match: { prefix: '/pre' }, route: route('a', { prefix_rewrite: '/new' }) },
      { match: { prefix: '/slash/' }, route: route('a', { prefix_rewrite: '/' }) },
      { match: { path: '/exact' }, route: route('a', { prefix_rewrite: '/whole', host_rewrite_literal: 'other.test' }) },
      { match: { prefix: '/re' }, route: route('a', { regex_rewrite: { pattern: { regex: '^/re/([^/]+)/(.*)$' }, substitution: '/\\2/\\1' } }) },
      { match: { prefix: '/' }, route: route('c', { host_rewrite_literal: 'all.test' }) },
    ],
    requests: paths('/pre', '/prefix/a?b=/pre', '/slash/', '/slash/a', '/exact?q=1', '/re/a/b/c?d/e', '/re/a', '/'),
  },
  {
    name: 'redirects',
    http: [
      '- match: [{uri: {prefix: /path}}]\n  redirect: {uri: /new, redirectCode: 302}',
      '- match: [{uri: {prefix: /host}}]\n  redirect: {authority: other.test}',
      '- match: [{uri: {prefix: /secure}}]\n  redirect: {scheme: https, redirectCode: 308}',
      '- match: [{uri: {prefix: /port}}]\n  redirect: {port: 8080, redirectCode: 307}',
      '- match: [{uri: {prefix: /query}}]\n  redirect: {uri: "/new?own=1", redirectCode: 303}',
    ].join('\n'),
    routes: [
      { match: { prefix: '/path' }, redirect: { path_redirect: '/new', response_code: 'FOUND' } },
      { match: { prefix: '/host' }, redirect: { host_redirect: 'other.test' } },
      { match: { prefix: '/secure' }, redirect: { scheme_redirect: 'https', response_code: 'PERMANENT_REDIRECT' } },
      { match: { prefix: '/port' }, redirect: { port_redirect: 8080, response_code: 'TEMPORARY_REDIRECT' } },
      { match: { prefix: '/query' }, redirect: { path_redirect: '/new?own=1', response_code: 'SEE_OTHER' } },
    ],
    requests: paths('/path/a?b=1', '/host/a?b=1', '/secure?b', '/port/x', '/query?theirs=2', '/none'),
  },
  {
    name: 'answers without an upstream',
    http: '- match: [{uri: {exact: /down}}]\n  directResponse: {status: 503, body: {string: "down for now"}}\n- directResponse: {status: 404}',
    routes: [
      { match: { path: '/down' }, direct_response: { status: 503, body: { inline_string: 'down for now' } } },
      { match: { prefix: '/' }, direct_response: { status: 404 } },
    ],
    requests: [...paths('/down', '/up'), { path: '/down', method: 'HEAD' }],
  },
  {
    name: 'headers that are set, added and removed',
    http: `- headers: {request: {set: {x-set: new}, add: {x-add: more}, remove: [x-gone]}, response: {set: {x-from: us}, add: {x-kind: two}, remove: [x-internal]}}\n  ${to('a')}`,
    routes: [
      {
        match: { prefix: '/' },
        route: route('a'),
        request_headers_to_remove: ['x-gone'],
        request_headers_to_add: [added('x-set', 'new', SET), added('x-add', 'more', ADD)],
        response_headers_to_remove: ['x-internal'],
        response_headers_to_add: [added('x-from', 'us', SET), added('x-kind', 'two', ADD)],
      },
    ],
    requests: [
      {},
      lines(['x-set', 'old'], ['x-set', 'older'], ['x-add', 'first'], ['x-gone', '1'], ['x-gone', '2'], ['x-kept', 'k']),
    ],
  },
  {
    name: 'retries',
    http: `- match: [{uri: {prefix: /never}}]\n  retries: {attempts: 0}\n  ${to('a')}\n- match: [{uri: {prefix: /codes}}]\n  retries: {attempts: 3, retryOn: "418,429"}\n  ${to('a')}\n- retries: {attempts: 2, retryOn: "5xx"}\n  ${to('a')}`,
    routes: [
      { match: { prefix: '/never' }, route: route('a') },
      {
        match: { prefix: '/codes' },
        route: route('a', { retry_policy: { retry_on: 'retriable-status-codes', retriable_status_codes: [418, 429], num_retries: 3 } }),
      },
      { match: { prefix: '/' }, route: route('a', { retry_policy: { retry_on: '5xx', num_retries: 2 } }) },
    ],
    requests: [
      { path: '/never', backend: { status: 503, first: 1 } },
      { path: '/codes', backend: { status: 429, first: 2 } },
      { path: '/codes', backend: { status: 418, first: 9 } },
      { path: '/codes', backend: { status: 503, first: 9 } },
      { path: '/', backend: { status: 500, first: 2 } },
      { path: '/', backend: { status: 500, first: 9 } },
      { path: '/', backend: { status: 404, first: 9 } },
      { path: '/', method: 'POST', backend: { status: 502, first: 1 } },
    ],
  },
] // prettier-ignore
