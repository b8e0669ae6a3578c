/** Loaded only where there is a proxy. In a module of its own: esbuild gives an `import()` of CommonJS no names. */

import { HttpsProxyAgent } from 'https-proxy-agent'

/** Connects to hosts by TLS, through a tunnel that the proxy makes. */
export const tunnelTo = (proxy: URL) => new HttpsProxyAgent(proxy, { keepAlive: true })
