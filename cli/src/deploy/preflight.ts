/**
 * Tries a module and its configuration in the Node host before any proxy gets them: what is refused here would be refused
 * there, too, but here the filter's own words say why.
 */
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { HostStartError, LogLine } from '@meshscript/sdk/testing/types'
import { checkModule } from '../build/check.ts'
import { readModuleMetadata } from '../wasm/metadata.ts'

export interface PreflightOptions {
  module: Uint8Array
  /** As the filter gets it; undefined: none. */
  configuration?: string
  rootId?: string
  /** Default `http`. */
  type?: 'http' | 'network'
  environment?: Record<string, string>
  /** Names of the only hostcalls and callbacks that it may use. */
  allowedCapabilities?: readonly string[]
}

export type PreflightResult = { ok: true } | PreflightFailure

export interface PreflightFailure {
  ok: false
  code: PreflightCode
  message: string
  /** What the filter said, each line with its level. */
  logs: string[]
}

export const preflightCodes = {
  DEP020: 'the module does not load',
  DEP021: 'the configuration does not fit the schema inside the module',
  DEP022: 'the module does not start',
  DEP023: 'the filter refuses its configuration',
} as const
export type PreflightCode = keyof typeof preflightCodes

/** How many of a schema's complaints are shown: the first ones mostly cause the rest. */
const MAX_SCHEMA_ERRORS = 5

/** Loads the module, checks the configuration against the schema inside it, and gives the configuration to the filter. */
export async function preflight(options: PreflightOptions): Promise<PreflightResult> {
  const problems = checkModule(options.module)
  if (problems.length > 0) {
    const said = problems.map(({ code, message }) => `${message} (${code})`)
    return failure('DEP020', `Envoy would not load the module: ${said.join('; ')}`)
  }
  return (await checkSchema(options)) ?? tryFilter(options)
}

const failure = (code: PreflightCode, message: string, logs: readonly LogLine[] = []): PreflightFailure => ({
  ok: false,
  code,
  message,
  logs: logs.map(({ level, message }) => `${level}: ${message}`),
})

async function checkSchema({ module, configuration }: PreflightOptions): Promise<PreflightFailure | undefined> {
  const { schema } = readModuleMetadata(module)
  if (configuration === undefined || typeof schema !== 'object' || schema === null) return undefined
  let value: unknown
  try {
    value = JSON.parse(configuration)
  } catch (error) {
    return failure('DEP021', `the configuration is not valid JSON: ${(error as Error).message}`)
  }
  const validate = await compileSchema(schema)
  if (!validate || validate(value)) return undefined
  const errors = [...new Set(validate.errors?.map(schemaMessage))].slice(0, MAX_SCHEMA_ERRORS)
  return failure('DEP021', `the configuration does not fit the module's schema: ${errors.join('; ')}`)
}

/** Undefined for a schema that can't be used, e.g. one that refers to others: then the filter alone decides. */
async function compileSchema(schema: object): Promise<ValidateFunction | undefined> {
  const { $schema } = schema as { $schema?: unknown }
  const options = { strict: false, validateFormats: false, allErrors: true, logger: false } as const
  try {
    if (typeof $schema === 'string' && $schema.includes('2020-12')) {
      const { Ajv2020 } = await import('ajv/dist/2020.js')
      return new Ajv2020(options).compile(schema)
    }
    const { Ajv } = await import('ajv')
    return new Ajv(options).compile(schema)
  } catch {
    return undefined
  }
}

/** E.g. `greeting must be string`, with the path of the field as one writes it. */
function schemaMessage({ instancePath, message, params }: ErrorObject): string {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path ? `${path}.${part}` : part), '')
  const { additionalProperty, allowedValues } = params as { additionalProperty?: string; allowedValues?: unknown[] }
  const detail = additionalProperty ?? allowedValues?.map((value) => JSON.stringify(value)).join(', ')
  return `${path || 'the document'} ${message}${detail === undefined ? '' : `: ${detail}`}`
}

async function tryFilter(options: PreflightOptions): Promise<PreflightResult> {
  const { module: wasm, configuration, rootId = '', environment, allowedCapabilities, type } = options
  const { createNodeHost } = await import('@meshscript/sdk/testing/node/index')
  try {
    const host = await createNodeHost({
      wasm,
      rootId,
      configuration,
      trace: false,
      ...(type === 'network' && { type }),
      ...(environment && { environment }),
      ...(allowedCapabilities && { allowedCapabilities }),
    })
    const [failed] = host.failures
    const { logs } = host
    await host.close()
    return failed ? failure('DEP022', `the module fails: ${failed.message}`, logs) : { ok: true }
  } catch (error) {
    if ((error as Error).name !== 'HostStartError') throw error
    return refusal(error as HostStartError)
  }
}

/** The filter's last word says most; without one it is what the host says. */
function refusal({ message, logs }: HostStartError): PreflightFailure {
  const isConfiguration = message.includes('Failed to configure base Wasm plugin')
  const said = logs.filter(({ level }) => level === 'error' || level === 'critical').at(-1)?.message
  const why = said ?? message
  return isConfiguration
    ? failure('DEP023', `the filter refuses its configuration: ${why}`, logs)
    : failure('DEP022', `the module does not start: ${why}`, logs)
}
