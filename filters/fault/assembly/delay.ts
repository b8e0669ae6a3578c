import { JsonValue } from '@meshscript/sdk'
import { readDuration } from '../../common/assembly/duration'
import { random } from '../../common/assembly/random'
import { Chance } from './chance'

/** Milliseconds that nothing waits longer than. */
const LONGEST: f64 = 24 * 3_600_000

enum Shape {
  Fixed,
  Uniform,
  Normal,
  Spikes,
}

const SHAPES = ['fixed', 'uniform', 'normal', 'spikes']

/** How often, and for how long, something is held. */
@final
export class Delay {
  readonly chance: Chance
  private shape: Shape = Shape.Fixed
  /** The duration, the least one, the mean, or that without a spike; in milliseconds. */
  private base: f64 = 0
  /** The range, the standard deviation, or the duration of a spike. */
  private other: f64 = 0
  private most: f64 = LONGEST
  private spikes: Chance | null = null

  constructor(json: JsonValue, seed: u64) {
    this.chance = Chance.of(json, seed)
    let count = 0
    for (let i = 0; i < SHAPES.length; i++) {
      if (!json.get(SHAPES[i]).exists) continue
      this.shape = i
      count++
    }
    const shape = json.get(SHAPES[this.shape])
    if (count != 1) json.fail('expected one of "fixed", "uniform", "normal" and "spikes"')
    else if (this.shape == Shape.Fixed) this.base = readWait(shape)
    else if (this.shape == Shape.Uniform) this.readUniform(shape)
    else if (this.shape == Shape.Normal) this.readNormal(shape)
    else this.readSpikes(shape)
  }

  private readUniform(json: JsonValue): void {
    this.base = readWait(json.get('min'))
    const most = readWait(json.get('max'))
    this.other = most - this.base
    if (this.other < 0) json.get('max').fail('expected a duration that is not below "min"')
  }

  private readNormal(json: JsonValue): void {
    this.base = readWait(json.get('mean'))
    this.other = readWait(json.get('deviation'))
    const most = json.get('max')
    if (most.exists) this.most = readWait(most)
    if (this.most < this.base) most.fail('expected a duration that is not below "mean"')
  }

  private readSpikes(json: JsonValue): void {
    this.base = readWait(json.get('base'))
    this.other = readWait(json.get('spike'))
    this.spikes = Chance.of(json, 0)
  }

  /** Milliseconds for the next request. */
  next(): f64 {
    const base = this.base
    if (this.shape == Shape.Fixed) return base
    if (this.shape == Shape.Uniform) return base + random().next() * this.other
    if (this.shape == Shape.Spikes) return this.spikes!.hits(null) ? this.other : base
    // Box-Muller; 1 minus the number, which is never 1, so that there is no logarithm of 0.
    const radius = NativeMath.sqrt(-2 * NativeMath.log(1 - random().next()))
    const drawn = base + this.other * radius * NativeMath.cos(2 * NativeMath.PI * random().next())
    return max<f64>(0, min<f64>(drawn, this.most))
  }
}

/** A duration to wait, in milliseconds. */
export function readWait(json: JsonValue, fallback: f64 = NaN): f64 {
  const duration = readDuration(json, fallback)
  if (duration <= LONGEST) return duration
  json.fail('expected at most 24h')
  return 0
}
