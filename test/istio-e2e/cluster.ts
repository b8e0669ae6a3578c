/** A Kubernetes API server with its etcd, and kubectl for it. There are no nodes: Pods are objects only. */

import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { Program } from './program.ts'

export class Cluster {
  readonly kubeconfig: string
  readonly #kubectl: string
  readonly #programs: Program[]

  /** One that runs, with `programs` to end with it. `binaries`: where `kubectl` is, unless the system has one. */
  constructor(kubeconfig: string, binaries: string, programs: Program[] = []) {
    const built = join(binaries, 'kubectl')
    this.kubeconfig = kubeconfig
    this.#kubectl = existsSync(built) ? built : 'kubectl'
    this.#programs = programs
  }

  /** `binaries`: where `kube-apiserver` is. `folder` takes its data. */
  static async start(binaries: string, folder: string): Promise<Cluster> {
    const [client, peer, secure] = await freePorts(3)
    const data = join(folder, 'cluster')
    mkdirSync(data, { recursive: true })
    const programs: Program[] = []
    const etcd = new Program('etcd', folder, 'etcd', [
      ...['--data-dir', join(data, 'etcd'), '--name', 'e2e', '--unsafe-no-fsync'],
      ...[
        '--listen-client-urls',
        `http://127.0.0.1:${client}`,
        '--advertise-client-urls',
        `http://127.0.0.1:${client}`,
      ],
      ...[
        '--listen-peer-urls',
        `http://127.0.0.1:${peer}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${peer}`,
      ],
      ...['--initial-cluster', `e2e=http://127.0.0.1:${peer}`],
    ])
    programs.push(etcd)
    try {
      await etcd.until('ready', async () => (await fetch(`http://127.0.0.1:${client}/health`)).ok, 30)

      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      writeFileSync(join(data, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }))
      writeFileSync(join(data, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
      writeFileSync(join(data, 'tokens.csv'), 'e2e-token,admin,admin,"system:masters"\n')
      const server = new Program('kube-apiserver', folder, join(binaries, 'kube-apiserver'), [
        `--etcd-servers=http://127.0.0.1:${client}`,
        `--service-account-key-file=${join(data, 'sa.pub')}`,
        `--service-account-signing-key-file=${join(data, 'sa.key')}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--token-auth-file=${join(data, 'tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.0.0.0/24',
        `--cert-dir=${join(data, 'certificates')}`,
        `--secure-port=${secure}`,
        '--bind-address=127.0.0.1',
        '--disable-admission-plugins=ServiceAccount',
      ])
      programs.push(server)
      const kubeconfig = join(folder, 'kubeconfig')
      writeFileSync(
        kubeconfig,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'e2e',
          clusters: [
            { name: 'e2e', cluster: { server: `https://127.0.0.1:${secure}`, 'insecure-skip-tls-verify': true } },
          ],
          users: [{ name: 'admin', user: { token: 'e2e-token' } }],
          contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'admin' } }],
        }),
      )
      const cluster = new Cluster(kubeconfig, binaries, programs)
      await server.until('ready', async () => (await cluster.kubectl('get', '--raw', '/readyz')) === 'ok', 90)
      return cluster
    } catch (error) {
      await Promise.all(programs.map((program) => program.stop()))
      throw error
    }
  }

  /** Its standard output; fails with what kubectl says. */
  kubectl(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { env: { ...process.env, KUBECONFIG: this.kubeconfig }, maxBuffer: 1 << 26 }
      execFile(this.#kubectl, args, options, (error, stdout, stderr) =>
        error ? reject(new Error(`kubectl ${args.join(' ')}: ${stderr || error.message}`)) : resolve(stdout),
      )
    })
  }

  /** Creates or changes objects, given as JSON values. */
  async apply(...objects: object[]): Promise<void> {
    const file = join(this.kubeconfig, '..', `apply-${process.hrtime.bigint()}.json`)
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    await this.kubectl('apply', '--server-side', '-f', file)
  }

  async stop(): Promise<void> {
    for (const program of [...this.#programs].reverse()) await program.stop()
  }
}
