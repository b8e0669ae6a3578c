/** Options of a command line that make a request. */
import { Option, type Command } from 'commander'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError, UserError } from '../errors.ts'
import { requestFromCurl } from './curl.ts'
import { requestsFromHar } from './har.ts'
import {
  addHeader,
  checkRequest,
  emptyRequest,
  object,
  parsePort,
  RequestError,
  requestFromJson,
  setRemoteIp,
  type PolicyRequest,
} from './request.ts'

export interface RequestFlags {
  method?: string
  path?: string
  host?: string
  header?: string[]
  peer?: string[]
  sourceIp?: string
  remoteIp?: string
  sni?: string
  port?: string
  claims?: string
  curl?: string
  har?: string
  entry?: string
  request?: string
}

const repeated = (value: string, earlier: string[] = []): string[] => [...earlier, value]

export function addRequestOptions(command: Command): Command {
  return command
    .optionsGroup('The request:')
    .option('--method <METHOD>', 'its method (default: GET)')
    .option('--path <PATH>', 'its path, with the query (default: /)')
    .option('--header <NAME: VALUE>', 'a header; may be repeated', repeated)
    .option('--host <HOST>', 'its host, with the port where the client sends one (default: localhost)')
    .option(
      '--peer <IDENTITY>',
      'SAN of the client’s certificate, e.g. spiffe://cluster.local/ns/a/sa/b; may be repeated',
      repeated,
    )
    .option('--source-ip <ADDRESS>', 'address of the direct peer (default: 127.0.0.1)')
    .option('--remote-ip <ADDRESS>', 'address of the client, as X-Forwarded-For tells it')
    .option('--sni <NAME>', 'server name in the TLS hello')
    .option('--port <PORT>', "the workload's port (default: 8080)")
    .option('--claims <JSON>', 'payload of the token that jwt_authn has verified; @FILE reads it from a file')
    .addOption(new Option('--curl <COMMAND>', "a curl command line, e.g. 'curl -X POST http://payments/charge'"))
    .addOption(new Option('--har <FILE>', 'requests of an HTTP archive').conflicts(['curl']))
    .option('--entry <NUMBER>', 'only this one of them, from 0')
    .addOption(
      new Option('--request <FILE>', 'a request as JSON, or a list; - for standard input').conflicts(['curl', 'har']),
    )
}

/** The requests that the options stand for. Throws a `UsageError`, or a `UserError` on what is in a file. */
export function readRequests(flags: RequestFlags, cwd: string): PolicyRequest[] {
  const requests = baseRequests(flags, cwd)
  if (flags.entry !== undefined && flags.har === undefined) throw new UsageError('--entry goes with --har')
  try {
    for (const request of requests) applyFlags(request, flags, cwd)
  } catch (error) {
    throw error instanceof RequestError ? new UsageError(error.message) : error
  }
  return requests
}

function baseRequests({ curl, har, entry, request }: RequestFlags, cwd: string): PolicyRequest[] {
  if (curl !== undefined) {
    try {
      return [requestFromCurl(curl)]
    } catch (error) {
      throw error instanceof RequestError ? new UsageError(`--curl: ${error.message}`) : error
    }
  }
  if (request !== undefined) {
    return parseFile(request, cwd, (value) => (Array.isArray(value) ? value : [value]).map(requestFromJson))
  }
  if (har === undefined) return [emptyRequest()]
  const all = parseFile(har, cwd, requestsFromHar)
  if (entry === undefined) return all
  const chosen = /^\d+$/.test(entry) ? all[Number(entry)] : undefined
  if (!chosen) throw new UsageError(`--entry: ${har} has the entries 0 to ${all.length - 1}`)
  return [chosen]
}

/** Flags go before what a file or a curl command line says. */
function applyFlags(request: PolicyRequest, flags: RequestFlags, cwd: string): void {
  request.method = flags.method ?? request.method
  request.path = flags.path ?? request.path
  request.host = flags.host ?? request.host
  request.peer = flags.peer ?? request.peer
  request.sourceIp = flags.sourceIp ?? request.sourceIp
  request.sni = flags.sni ?? request.sni
  for (const line of flags.header ?? []) {
    const colon = line.indexOf(':', 1)
    if (colon < 0) throw new RequestError(`--header ${JSON.stringify(line)}: expected NAME: VALUE`)
    addHeader(request, line.slice(0, colon), line.slice(colon + 1))
  }
  if (flags.remoteIp !== undefined) setRemoteIp(request, flags.remoteIp)
  if (flags.port !== undefined) request.port = parsePort(flags.port)
  if (flags.claims !== undefined) request.claims = readClaims(flags.claims, cwd)
  checkRequest(request)
}

function readClaims(claims: string, cwd: string): Record<string, unknown> {
  if (claims.startsWith('@')) return parseFile(claims.slice(1), cwd, (value) => object(value, 'claims'))
  try {
    return object(JSON.parse(claims), '--claims')
  } catch (error) {
    throw error instanceof SyntaxError ? new RequestError(`--claims is no JSON: ${error.message}`) : error
  }
}

function parseFile<Result>(name: string, cwd: string, read: (value: unknown) => Result): Result {
  try {
    return read(JSON.parse(readFileSync(name === '-' ? 0 : resolve(cwd, name), 'utf8').replace(/^\uFEFF/, '')))
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    if (error instanceof RequestError) throw new UserError(`${name}: ${message}`)
    if (error instanceof SyntaxError) throw new UserError(`${name} is no JSON: ${message}`)
    if (code !== undefined) throw new UserError(`cannot read ${name}: ${message}`)
    throw error
  }
}
