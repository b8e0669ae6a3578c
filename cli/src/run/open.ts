import { spawn } from 'node:child_process'

/** Opens the address in the user's browser. Whether it works is not known: who calls shows the address too. */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform): void {
  const [file, ...args] = {
    darwin: ['open', url],
    // The empty text is the window's title.
    win32: ['cmd', '/c', 'start', '', url],
  }[platform as string] ?? ['xdg-open', url]
  const child = spawn(file!, args, { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
