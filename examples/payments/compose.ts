/** Docker Compose: the plugin of Docker's client, or the older program of its own. */

import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const FORMS = [['docker', 'compose'], ['docker-compose']] as const

export class Compose {
  readonly name: string
  readonly #file: string
  readonly #args: readonly string[]
  readonly #env: NodeJS.ProcessEnv

  private constructor(form: readonly string[], file: string, env: Record<string, string>) {
    this.name = form.join(' ')
    this.#file = form[0]!
    this.#args = [...form.slice(1), '--file', file, '--project-name', `meshscript-demo-${process.pid}`]
    this.#env = { ...process.env, ...env }
  }

  /** For the services of `file`, whose variables are `env` and this program's own. */
  static async find(file: string, env: Record<string, string>): Promise<Compose> {
    for (const form of FORMS) {
      const found = await run(form[0], [...form.slice(1), 'version']).then(
        () => true,
        () => false,
      )
      if (found) return new Compose(form, file, env)
    }
    throw new Error('there is neither docker compose nor docker-compose')
  }

  /** Starts the services and what they depend on; without names all. */
  async up(...services: string[]): Promise<void> {
    await this.#show('up', '--detach', ...services)
  }

  /** Where a service's port is on this machine. */
  async port(service: string, port: number): Promise<number> {
    const { stdout } = await this.#run('port', service, String(port))
    return Number(stdout.trim().split(':').at(-1))
  }

  async logs(): Promise<string> {
    const { stdout } = await this.#run('logs', '--no-color', '--tail', '20')
    return stdout
  }

  /** Ends and removes everything. */
  async down(): Promise<void> {
    await this.#run('down', '--volumes', '--timeout', '3')
  }

  #run(...args: string[]): Promise<{ stdout: string }> {
    return run(this.#file, [...this.#args, ...args], { env: this.#env, maxBuffer: 64 << 20 })
  }

  /** Pulls and starts take their time, so what it says of them is shown as it comes. */
  #show(...args: string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      // In a group of its own: Ctrl-C is for this program, which then ends the containers in order.
      const child = spawn(this.#file, [...this.#args, ...args], {
        env: this.#env,
        stdio: ['ignore', 2, 2],
        detached: true,
      })
      child.on('error', reject)
      child.on('close', (code) => {
        if (code === 0) resolve()
        else reject(new Error(`${this.name} ${args.join(' ')} failed with exit code ${code}`))
      })
    })
  }
}
