import { expect, it } from 'vitest'
import { RecentlyUsed } from '../../src/backend/recently-used.ts'

it('forgets what was not asked for longest', () => {
  const [a, b, c] = [{}, {}, {}]
  const values = new RecentlyUsed<object>(2)
  expect(values.set('a', a)).toBe(a)
  values.set('b', b)
  expect(values.get('a')).toBe(a)
  values.set('c', c)
  expect(['a', 'b', 'c'].map((key) => values.get(key))).toEqual([a, undefined, c])
  values.set('a', b)
  expect(values.get('a')).toBe(b)
  values.delete('a')
  values.clear()
  expect(['a', 'c'].map((key) => values.get(key))).toEqual([undefined, undefined])
})
