// What a filter does with the proxy beside the stream's own bytes.

import {
  clearRouteCache,
  callForeignFunction,
  compress,
  Counter,
  currentTime,
  currentTimeMillis,
  declareProperty,
  environment,
  Expression,
  filterState,
  foreignStatus,
  Gauge,
  Histogram,
  join,
  LifeSpan,
  log,
  LogLevel,
  property,
  PropertyType,
  setEnvoyFilterState,
  sharedData,
  SharedQueue,
  sign,
  uncompress,
  verifySignature,
} from '@meshscript/sdk'
import { consume, sink, useBytes, useOptional } from './bytes'
import { Input } from './input'

/** Metrics of a plugin. */
export class Metrics {
  plain: Counter = new Counter('fuzz_total')
  labelled: Counter = new Counter('fuzz_labelled_total', ['a', 'b'])
  level: Gauge = new Gauge('fuzz_level', ['a'])
  sizes: Histogram = new Histogram('fuzz_sizes', ['a', 'b', 'c'])

  /** Takes all the series that a metric may have, so that growth from then on is a leak. */
  fill(): void {
    for (let i = 0; i < 1000; i++) {
      const text = i.toString()
      this.labelled.with2(text, text)
      this.level.with(text)
      this.sizes.with(text)
    }
  }

  use(input: Input): void {
    const a = input.text()
    const b = input.text()
    switch (input.below(8)) {
      case 0:
        this.plain.increment(input.integer())
        consume(this.plain.value)
        break
      case 1:
        this.labelled.with2(a, b).increment()
        break
      case 2:
        consume(this.labelled.withAll(join(join(a, b), a)).value)
        break
      case 3:
        this.level.set(input.integer())
        this.level.add(-5)
        consume(this.level.value)
        break
      case 4:
        this.level.with(a).add(input.integer())
        break
      case 5:
        consume(this.level.with2(a, b).value)
        break
      case 6:
        this.sizes.with3(a, 'x', b).record(input.integer())
        break
      default:
        this.sizes.record(7)
        this.sizes.with(a).record(1)
    }
  }
}

export function useProperties(input: Input): void {
  const path = input.text()
  switch (input.below(8)) {
    case 0:
      useOptional(input, property.get(path))
      break
    case 1:
      consume(property.getInt(path) + <i64>property.getDouble(path) + i64(property.getBool(path)))
      break
    case 2:
      useBytes(input, property.getOrEmpty(path))
      break
    case 3:
      filterState.set(path, input.text())
      useOptional(input, filterState.get(path))
      break
    case 4:
      useOptional(input, filterState.getNative(path))
      break
    case 5:
      useRequestProperties(input)
      break
    default:
      useConnectionProperties(input)
  }
}

function useRequestProperties(input: Input): void {
  useOptional(input, property.requestPath())
  useOptional(input, property.requestUrlPath())
  useOptional(input, property.requestQuery())
  useOptional(input, property.requestHost())
  useOptional(input, property.requestMethod())
  useOptional(input, property.requestScheme())
  useOptional(input, property.requestProtocol())
  useOptional(input, property.requestId())
  useOptional(input, property.requestUserAgent())
  useOptional(input, property.requestReferer())
  consume(property.requestTime() + property.requestDuration())
  consume(property.requestSize() + property.requestTotalSize())
  consume(property.responseCode() + property.responseFlags() + property.responseGrpcStatus())
  consume(property.responseSize() + property.responseTotalSize() + property.responseBackendLatency())
  useOptional(input, property.responseCodeDetails())
}

function useConnectionProperties(input: Input): void {
  consume(property.sourcePort() + property.destinationPort() + property.connectionId())
  consume(property.upstreamPort() + property.upstreamRequestAttemptCount() + property.listenerDirection())
  consume(u64(property.connectionMtls()))
  useOptional(input, property.sourceAddress())
  useOptional(input, property.destinationAddress())
  useOptional(input, property.connectionRequestedServerName())
  useOptional(input, property.connectionTlsVersion())
  useOptional(input, property.connectionUriSanPeerCertificate())
  useOptional(input, property.connectionDnsSanPeerCertificate())
  useOptional(input, property.connectionSubjectPeerCertificate())
  useOptional(input, property.connectionPeerCertificate())
  useOptional(input, property.connectionUriSanLocalCertificate())
  useOptional(input, property.upstreamAddress())
  useOptional(input, property.upstreamTransportFailureReason())
  useOptional(input, property.upstreamUriSanPeerCertificate())
  useOptional(input, property.clusterName())
  useOptional(input, property.routeName())
  useOptional(input, property.virtualHostName())
  useOptional(input, property.filterChainName())
  useOptional(input, property.nodeId())
  useOptional(input, property.pluginName())
  useOptional(input, property.pluginRootId())
  useOptional(input, property.pluginVmId())
}

export function useShared(input: Input): void {
  const key = input.text()
  switch (input.below(5)) {
    case 0:
      sharedData.set(key, input.text())
      break
    case 1: {
      const entry = sharedData.get(key)
      if (!entry) break
      useBytes(input, entry.value)
      sharedData.compareAndSwap(key, entry.value.concat('+'), entry.cas)
      break
    }
    case 2: {
      const queue = SharedQueue.register(key)
      if (queue) queue.enqueue(input.text())
      break
    }
    case 3: {
      const queue = SharedQueue.resolve(key, input.text())
      if (queue) useOptional(input, queue.dequeue())
      break
    }
    default:
      useOptional(input, SharedQueue.of(input.integer()).dequeue())
  }
}

export function useForeignFunctions(input: Input): void {
  const text = input.text()
  switch (input.below(9)) {
    case 0:
      useOptional(input, callForeignFunction(text, input.text()))
      break
    case 1: {
      const packed = compress(text)
      if (packed) useOptional(input, uncompress(packed))
      break
    }
    case 2:
      consume(u64(clearRouteCache()) + foreignStatus)
      break
    case 3:
      setEnvoyFilterState(text, input.text(), <LifeSpan>input.integer())
      break
    case 4:
      declareProperty(text, PropertyType.String, LifeSpan.Request, input.flag(), input.text())
      break
    case 5: {
      const expression = Expression.compile(text)
      if (!expression) break
      useOptional(input, expression.evaluate())
      consume(u64(expression.test()))
      expression.delete()
      break
    }
    case 6:
      consume(u64(verifySignature('sha256', text, input.text(), input.text(), input.flag())))
      break
    default:
      useOptional(input, sign(text, input.text(), input.text(), input.flag()))
  }
}

export function useTheRest(input: Input): void {
  switch (input.below(5)) {
    case 0:
      consume(currentTime() + currentTimeMillis())
      break
    case 1:
      useOptional(input, environment.get(input.flag() ? 'COLOR' : input.text().toString()))
      break
    case 2:
      log.info(input.text())
      log.debug(`${input.text()} ${sink}`)
      break
    case 3:
      log.write(<LogLevel>input.integer(), input.text())
      break
    default:
      consume(u64(log.isEnabled(LogLevel.Debug)) + log.level())
  }
}
