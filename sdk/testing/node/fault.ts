/** What real Envoy does not survive. */

/**
 * A filter did what ends real Envoy with a segmentation fault, or breaks what it sends. This host then ends too: the request
 * under way and all later ones reject with this.
 */
export class ProxyFault extends Error {
  override name = 'ProxyFault'
}
