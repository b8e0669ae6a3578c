/** Envoy's admin interface. */
import { request } from 'node:http'

export interface AdminAnswer {
  status: number
  text: string
}

/** One request to the admin interface on `port`. */
export function admin(port: number, path: string, method: 'GET' | 'POST' = 'GET'): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end()
  })
}

/** Counters, gauges and text values whose full name matches the regular expression `filter` (RE2). */
export async function stats(port: number, filter?: string): Promise<Record<string, number | string>> {
  const query = filter === undefined ? '' : `&filter=${encodeURIComponent(filter)}`
  const { text } = await admin(port, `/stats?format=json${query}`)
  const { stats: entries } = JSON.parse(text) as { stats: { name?: string; value?: number | string }[] }
  const result: Record<string, number | string> = {}
  for (const { name, value } of entries) if (name !== undefined && value !== undefined) result[name] = value
  return result
}

/** Port of each listener by its name. */
export async function listenerPorts(port: number): Promise<Record<string, number>> {
  const { text } = await admin(port, '/listeners?format=json')
  const { listener_statuses: listeners = [] } = JSON.parse(text) as {
    listener_statuses?: { name: string; local_address: { socket_address: { port_value: number } } }[]
  }
  return Object.fromEntries(listeners.map(({ name, local_address: at }) => [name, at.socket_address.port_value]))
}
