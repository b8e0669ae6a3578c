/** A request to `payments`, and what the policy says of it. */
export interface DemoRequest {
  method: string
  path: string
  headers?: Record<string, string>
  /** The workload that sends it, as in a SPIFFE id after the trust domain. */
  peer: string
  expected: 'allow' | 'deny'
  /** Rule that decides; `none` where no rule allows. */
  policy: string
}

const RULE = 'ns[payments]-policy[allow-frontend]-rule[0]'
const FRONTEND = 'ns/frontend/sa/default'

export const requests: DemoRequest[] = [
  {
    method: 'POST',
    path: '/charge',
    headers: { 'X-Auth': 'admin' },
    peer: FRONTEND,
    expected: 'allow',
    policy: RULE,
  },
  {
    method: 'POST',
    path: '/charge?amount=5',
    headers: { 'X-Auth': 'admin' },
    peer: FRONTEND,
    expected: 'allow',
    policy: RULE,
  },
  { method: 'POST', path: '/charge', headers: { 'X-Auth': 'user' }, peer: FRONTEND, expected: 'deny', policy: 'none' },
  { method: 'POST', path: '/charge', peer: FRONTEND, expected: 'deny', policy: 'none' },
  { method: 'GET', path: '/charge', headers: { 'X-Auth': 'admin' }, peer: FRONTEND, expected: 'deny', policy: 'none' },
  { method: 'POST', path: '/refund', headers: { 'X-Auth': 'admin' }, peer: FRONTEND, expected: 'deny', policy: 'none' },
  {
    method: 'POST',
    path: '/charge',
    headers: { 'X-Auth': 'admin' },
    peer: 'ns/backend/sa/default',
    expected: 'deny',
    policy: 'none',
  },
  {
    method: 'POST',
    path: '/charge',
    headers: { 'X-Auth': 'admin' },
    peer: 'ns/frontend/sa/batch',
    expected: 'deny',
    policy: 'none',
  },
]
