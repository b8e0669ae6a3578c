import { describe, expect, it } from 'vitest'
import { Clock, milliseconds } from './clock.ts'

describe('Clock', () => {
  it('runs timers in the order of their time, and then of their making', () => {
    const clock = new Clock(0)
    const seen: string[] = []
    clock.after(20, () => seen.push(`b${clock.now}`))
    clock.after(10, () => seen.push(`a${clock.now}`))
    clock.after(20, () => seen.push(`c${clock.now}`))
    while (clock.step(100));
    expect(seen).toEqual(['a10', 'b20', 'c20'])
  })

  it('goes no further than it may', () => {
    const clock = new Clock(0)
    clock.after(10, () => {})
    expect(clock.step(9)).toBe(false)
    expect(clock.now).toBe(0)
    expect(clock.next).toBe(10)
  })

  it('forgets a timer that was cancelled', () => {
    const clock = new Clock(0)
    let ran = false
    clock.after(10, () => (ran = true))()
    expect(clock.step(100)).toBe(false)
    expect(ran).toBe(false)
  })

  it('runs work that work posts, however much', () => {
    const clock = new Clock(0)
    let count = 0
    const again = () => {
      if (++count < 5000) clock.post(again)
    }
    clock.post(again)
    clock.drain()
    expect(count).toBe(5000)
  })

  it('keeps to its work after one piece of it failed', () => {
    const clock = new Clock(0)
    let ran = 0
    clock.post(() => {
      throw new Error('one')
    })
    clock.post(() => ran++)
    expect(() => clock.drain()).toThrow('one')
    clock.drain()
    expect(ran).toBe(1)
  })
})

it('reads durations', () => {
  expect(milliseconds(5)).toBe(5)
  expect(milliseconds('1.5s')).toBe(1500)
  expect(milliseconds('2m')).toBe(120_000)
  expect(() => milliseconds('soon')).toThrow("not a duration: 'soon'")
})
