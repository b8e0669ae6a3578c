import { expect, test } from 'vitest'
import type { AuthorizationConfig, PolicyConfig } from '../compile/authorization-config.ts'
import { emptyRequest } from '../requests/request.ts'
import { toInit } from './filter.ts'
import { Judge } from './judge.ts'

const policy = (action: PolicyConfig['action'], path: string, name = action.toLowerCase()): PolicyConfig => ({
  name,
  action,
  ...(action === 'CUSTOM' && { provider: 'authz' }),
  rules: [{ to: [{ paths: [{ exact: path }] }] }],
})

async function judge(policies: PolicyConfig[], path: string) {
  const providers: AuthorizationConfig['providers'] = { authz: { http: { cluster: 'authz' } } }
  const each = new Judge({ version: 1, mode: 'enforce', policies, providers }, {})
  const { verdict, rule, provider } = await each.judge({ ...emptyRequest(), path })
  await each.close()
  return { verdict, rule, provider }
}

test('an external authorizer decides what nothing else refuses', async () => {
  const custom = policy('CUSTOM', '/a', 'asks-rule[7]')
  const asks = { verdict: 'external', rule: 'asks-rule[7]-rule[0]', provider: 'authz' }
  expect(await judge([custom], '/a')).toEqual(asks)
  expect(await judge([custom, policy('ALLOW', '/a')], '/a')).toEqual(asks)
  expect(await judge([custom], '/b')).toEqual({ verdict: 'allowed' })
  expect(await judge([custom, policy('DENY', '/a')], '/a')).toEqual({ verdict: 'denied', rule: 'deny-rule[0]' })
  expect(await judge([custom, policy('ALLOW', '/b')], '/a')).toEqual({ verdict: 'denied' })
})

test('what a request has reaches the filter as in Envoy', () => {
  const request = {
    ...emptyRequest(),
    peer: ['spiffe://td/ns/a/sa/b'],
    sourceIp: '10.0.0.1',
    sni: 'name',
    claims: { iss: 'i', scope: 'read  write' },
    metadata: { f: { k: 'v' } },
  }
  expect(toInit(request)).toEqual({
    method: 'GET',
    path: '/',
    authority: 'localhost',
    headers: [],
    peer: ['spiffe://td/ns/a/sa/b'],
    source: '10.0.0.1',
    // As Envoy's native filter in front leaves it.
    filterState: { 'meshscript.direct_remote_address': '10.0.0.1' },
    sni: 'name',
    metadata: { f: { k: 'v' }, 'envoy.filters.http.jwt_authn': { payload: { iss: 'i', scope: ['read', 'write'] } } },
  })
})
