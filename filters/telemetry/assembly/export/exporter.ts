import {
  Bytes,
  ByteString,
  Context,
  currentTimeMillis,
  Headers,
  httpCall,
  HttpCallResponse,
  JsonValue,
  log,
  utf8,
} from '@meshscript/sdk'
import { readDuration } from '../../../common/assembly/duration'
import { ExportCounters } from './counters'
import { BatchFormat } from './format'
import { ItemQueue } from './item_queue'
import { ExportSchedule } from './schedule'
import { Writer, writer } from './writer'

/** Milliseconds; the longest that is waited after failures. */
const MAX_BACKOFF: f64 = 30_000
/** A receiver may ask for more, up to this. */
const MAX_RETRY_AFTER: f64 = 300_000
/** Milliseconds beyond its time after which an answer is not waited for any more. */
const LOST: f64 = 5000

/**
 * Sends items to a receiver by HTTP, many at once. Where the receiver does not take them they are kept and sent again; when there are
 * more than may be kept, new ones are dropped. Requests never wait for it.
 */
// A context of its own, for answers to find their way: it stands for the plugin.
@final
export class Exporter extends Context {
  private queue!: ItemQueue
  private counters!: ExportCounters
  private cluster!: Bytes
  private authority!: Bytes
  private path!: Bytes
  private names: Bytes[] = []
  private values: Bytes[] = []
  private maxItems: i32 = 0
  private interval: f64 = 0
  private timeout: u32 = 0
  /** Items at the front of the queue that are on their way. */
  private underWay: i32 = 0
  private sentAt: f64 = 0
  /** When the next batch is to be sent, in milliseconds; 0 where nothing waits. */
  private dueAt: f64 = 0
  /** That is as soon as may be. */
  private isUrgent: bool = false
  /** How often it has failed since it last answered. */
  private failures: i32 = 0
  /** The log has told that the receiver fails, or refuses what it gets. */
  private isUnwell: bool = false
  private hasRefused: bool = false
  private dropped: u32 = 0
  /** Another configuration holds: what is left is sent once, and nothing comes any more. */
  private isRetired: bool = false

  constructor(
    json: JsonValue,
    batch: JsonValue,
    readonly signal: string,
    private format: BatchFormat,
    private schedule: ExportSchedule,
  ) {
    super()
    this.id = schedule.id
    const cluster = json.get('cluster')
    this.cluster = cluster.bytes()
    if (!this.cluster.length) cluster.fail('expected the name of a cluster')
    this.authority = json.get('authority').bytes(this.cluster.view)
    const path = json.get('path')
    this.path = path.bytes(format.path)
    if (this.path.view.byteAt(0) != 0x2f) path.fail('expected a path that begins with /')
    const headers = json.get('headers').optionalObject()
    for (let i = 0; i < headers.length; i++) {
      const header = headers.at(i)
      if (!isHeaderName(header.name)) header.fail('expected a header name in lower case')
      this.names.push(header.name.persist())
      this.values.push(header.bytes())
    }
    this.maxItems = <i32>batch.get('maxItems').integer(512, 1, 16_384)
    const maxQueue = batch.get('maxQueue')
    const most = <i32>maxQueue.integer(max(2048, this.maxItems), 1, 65_536)
    if (most < this.maxItems) maxQueue.fail('expected at least as many as maxItems')
    this.interval = readPeriod(batch.get('interval'))
    this.timeout = <u32>readPeriod(batch.get('timeout'))
    const maxBytes = <usize>batch.get('maxBytes').integer(1_048_576, 1024, 67_108_864)
    this.queue = new ItemQueue(most, maxBytes)
    this.counters = new ExportCounters(signal)
    schedule.add(this)
  }

  /** Begins an item, which `end` completes. */
  // @ts-ignore: decorator
  @inline
  begin(): Writer {
    return writer().begin()
  }

  /** Adds the item that was written. */
  end(): void {
    const item = writer()
    if (item.isTooLong || !this.queue.add(item.bytes)) {
      this.counters.dropped(1)
      this.dropped++
      return
    }
    // While the receiver has not answered, or has failed, a full batch is no reason to hurry.
    const isWell = !this.underWay && !this.isUnwell && !this.hasRefused
    const isUrgent = isWell && this.queue.count >= this.maxItems && !this.isUrgent
    if (this.dueAt && !isUrgent) return
    this.isUrgent = isUrgent
    const now = <f64>currentTimeMillis()
    this.dueAt = isUrgent ? now : now + this.interval
    this.schedule.wake(this.dueAt - now)
  }

  /** Whether items wait, or are on their way. */
  get isBusy(): bool {
    return this.queue.count > 0
  }

  /** Sends what is left. Nothing is added any more. */
  retire(): void {
    this.isRetired = true
    if (!this.underWay) this.send(<f64>currentTimeMillis())
  }

  /** The schedule calls it. Answers when to be called again, in milliseconds from now; 0 for not at all. */
  tick(now: f64): f64 {
    if (this.underWay) {
      const lostAt = this.sentAt + <f64>this.timeout + LOST
      if (now < lostAt) return lostAt - now
      this.fail(utf8('no answer'), 0)
    }
    if (!this.dueAt) return 0
    // Somebody has set the clock back.
    if (this.dueAt - now > MAX_RETRY_AFTER + this.interval) this.dueAt = now
    if (now >= this.dueAt) this.send(now)
    return this.dueAt ? max<f64>(1, this.dueAt - now) : 0
  }

  private send(now: f64): void {
    const count = min(this.queue.count, this.maxItems)
    this.dueAt = 0
    this.isUrgent = false
    if (!count) return
    const format = this.format
    const items = this.queue.front(count)
    const body = format
      .before(count)
      .concat(items.slice(0, items.length - format.separator))
      .concat(format.after())
    const headers = new Headers()
      .add(':method', 'POST')
      .add(':path', this.path)
      .add(':authority', this.authority)
      .add('content-type', format.contentType)
    format.addHeaders(headers, count)
    for (let i = 0; i < this.names.length; i++) headers.add(this.names[i], this.values[i])
    this.underWay = count
    this.sentAt = now
    const isSent = httpCall(
      this,
      this.cluster,
      headers,
      this.timeout,
      (self: Exporter, response: HttpCallResponse): void => self.onAnswer(response),
      body,
    )
    if (isSent) {
      this.dueAt = now + <f64>this.timeout + LOST
      this.schedule.wake(this.dueAt - now)
    } else this.fail(utf8('there is no such cluster'), 0)
  }

  private onAnswer(response: HttpCallResponse): void {
    // One that came too late.
    if (!this.underWay) return
    const status = response.failed ? 0 : response.status
    if (status >= 200 && status < 300) {
      this.counters.sent(this.underWay)
      this.recover()
    } else if (isTemporary(status)) {
      const after = <f64>response.headers.getOrEmpty('retry-after').parseInt(0)
      return this.fail(status ? utf8('status ').concat(status.toString()) : utf8('connection lost'), after * 1000)
    } else {
      this.counters.rejected(this.underWay)
      if (!this.hasRefused)
        log.warn(`${this.signal}: ${this.cluster.toString()} refuses ${this.underWay}: status ${status}`)
      this.hasRefused = true
      // It answers: should it fail now, that is no reason to wait for long.
      this.failures = 0
    }
    this.settle()
  }

  /** What was on its way is done with. */
  private settle(): void {
    this.queue.remove(this.underWay)
    this.underWay = 0
    this.dueAt = 0
    const now = <f64>currentTimeMillis()
    if (this.queue.count) {
      if (this.isRetired || this.queue.count >= this.maxItems) return this.send(now)
      this.dueAt = now + this.interval
      this.schedule.wake(this.interval)
    } else if (this.isRetired) this.schedule.onRetired()
  }

  private recover(): void {
    if (this.isUnwell || this.hasRefused) {
      const lost = this.dropped ? `; ${this.dropped} were dropped` : ''
      log.warn(`${this.signal}: ${this.cluster.toString()} takes them again${lost}`)
    }
    this.failures = 0
    this.isUnwell = false
    this.hasRefused = false
    this.dropped = 0
  }

  /** What was on its way is to be sent again. */
  private fail(why: ByteString, after: f64): void {
    if (this.isRetired) {
      this.counters.dropped(this.queue.count)
      this.underWay = this.queue.count
      return this.settle()
    }
    this.underWay = 0
    if (!this.isUnwell)
      log.warn(`${this.signal}: ${this.cluster.toString()} takes none: ${why.toString()}; they are kept`)
    this.isUnwell = true
    this.failures = min(this.failures + 1, 16)
    const backoff = min<f64>(MAX_BACKOFF, max<f64>(this.interval, 100) * <f64>(1 << min(this.failures - 1, 8)))
    const wait = max<f64>(backoff, min<f64>(after, MAX_RETRY_AFTER))
    this.dueAt = <f64>currentTimeMillis() + wait
    this.schedule.wake(wait)
  }
}

/** What may be well another time; as OTLP has it. */
function isTemporary(status: i32): bool {
  return status == 0 || status == 408 || status == 429 || (status >= 502 && status <= 504)
}

function isHeaderName(name: ByteString): bool {
  if (!name.length) return false
  for (let i = 0; i < name.length; i++) {
    const byte = name.byteAt(i)
    const isToken = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2d || byte == 0x5f
    if (!isToken) return false
  }
  return true
}

function readPeriod(json: JsonValue): f64 {
  const milliseconds = readDuration(json, 5000)
  if (milliseconds < 1 || milliseconds > 3_600_000) json.fail('expected from 1ms to 1h')
  return milliseconds
}
