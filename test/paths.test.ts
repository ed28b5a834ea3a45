import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkLogicalPath,
  checkName,
  checkSemanticVersion,
  comparePaths,
  foldPath,
  parseArtifactName,
} from '../src/paths.ts'

const encoder = new TextEncoder()

function compareBytes(a: string, b: string): number {
  const x = encoder.encode(a)
  const y = encoder.encode(b)
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0)
    if (difference !== 0) return difference
  }
  return x.length - y.length
}

function hostilePaths(): string[] {
  const bare = [
    '',
    '.',
    '..',
    '/',
    '//',
    '\\',
    '~',
    '~/',
    '~/x',
    'C:',
    'c:',
    'C:/x',
    'C:\\x',
    'z:x',
    '\\\\server\\share',
    '//server/share',
    '\\\\?\\C:\\x',
  ]
  const segments = [
    '.',
    '..',
    '',
    'a.',
    'a ',
    '...',
    '. ',
    'x:',
    ' ',
    'a\\b',
    '\ud800',
    'a\udc00b',
    'x'.repeat(256),
    'é'.repeat(128),
    '语'.repeat(86),
    '😀'.repeat(64),
  ]
  const controls = [...Array.from({ length: 32 }, (_, i) => i), 0x7f, 0x80, 0x85, 0x9f].map(
    (code) => `a${String.fromCharCode(code)}b`,
  )
  const devices = [
    'con',
    'prn',
    'aux',
    'nul',
    'conin$',
    'conout$',
    ...'123456789¹²³'.split('').flatMap((n) => [`com${n}`, `lpt${n}`]),
  ]
  const spellings = devices.flatMap((name) => [
    name,
    name.toUpperCase(),
    `${name}.txt`,
    `${name}.tar.gz`,
    `${name} .txt`,
    `${name}:stream`,
  ])
  const inner = [...segments, ...controls, ...spellings].flatMap((s) => [`a/${s}`, `${s}/a`, `a/${s}/b`])
  const whole = [
    '/etc/passwd',
    'a/../../b',
    '../a',
    'a/..',
    'a/./b',
    'a//b',
    'a/',
    `${'x/'.repeat(512)}x`,
    `${'ab/'.repeat(400)}c`,
  ]
  return [...bare, ...segments, ...controls, ...spellings, ...inner, ...whole]
}

describe('checkLogicalPath', () => {
  it('refuses every hostile spelling, naming the reason', () => {
    const paths = hostilePaths()
    expect(new Set(paths).size).toBeGreaterThan(300)
    for (const path of paths) {
      expect(() => checkLogicalPath(path), JSON.stringify(path)).toThrow(
        expect.objectContaining({ code: 'invalid-path', category: 'InvalidInputError' }),
      )
    }
  })

  it.each([
    'a',
    'a/b',
    '.hidden',
    '..a',
    'a..b',
    'con1',
    'console',
    'nullable.txt',
    'com',
    'com10',
    'lpt10.txt',
    'a~/b',
    'a b',
    ' a',
    '2024-01-01T10:00:00.png',
    'ab:c',
    '语/言.txt',
    '😀.png',
    'x'.repeat(255),
    'é'.repeat(127),
    '__proto__',
  ])('keeps %s', (path) => expect(checkLogicalPath(path)).toBe(path))

  it('stores one spelling of equal text', () => {
    expect(checkLogicalPath('cafe\u0301/a\u030a.png')).toBe('caf\u00e9/\u00e5.png')
  })

  it('accepts 1024 bytes and refuses 1025', () => {
    const path = `${'x'.repeat(255)}/${'x'.repeat(255)}/${'x'.repeat(255)}/${'x'.repeat(255)}/`
    expect(checkLogicalPath(path.slice(0, 1023))).toHaveLength(1023)
    expect(checkLogicalPath(`${path.slice(0, 1022)}/x`)).toHaveLength(1024)
    expect(() => checkLogicalPath(`${path.slice(0, 1022)}/xy`)).toThrow(
      expect.objectContaining({ code: 'invalid-path' }),
    )
  })

  it('is stable, and what it accepts stays inside a folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        let path: string
        try {
          path = checkLogicalPath(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-path' })
          return
        }
        expect(checkLogicalPath(path)).toBe(path)
        expect(
          new URL(`file:///base/${path.split('/').map(encodeURIComponent).join('/')}`).pathname.startsWith('/base/'),
        ).toBe(true)
        expect(path.split('/').every((s) => s !== '' && s !== '.' && s !== '..')).toBe(true)
      }),
    )
  })

  it('says so when it is no string', () => {
    // @ts-expect-error: what a JavaScript caller may pass
    expect(() => checkLogicalPath(undefined)).toThrow(expect.objectContaining({ code: 'invalid-path' }))
  })

  it('prints no control characters', () => {
    expect(() => checkLogicalPath('a\u001b[31m')).toThrow('a\\u001b[31m')
  })
})

describe('names', () => {
  it.each(['', '.', '..', 'a/b', 'a:b', 'a\nb', '\u0000', 'x'.repeat(129), '\ud800'])('refuses %j', (name) => {
    expect(() => checkName(name, 'project')).toThrow(expect.objectContaining({ code: 'invalid-name' }))
  })

  it('counts characters, not units', () => {
    expect(checkName('😀'.repeat(128))).toBe('😀'.repeat(128))
    expect(() => checkName('😀'.repeat(129))).toThrow(expect.objectContaining({ code: 'invalid-name' }))
    expect(checkName('e\u0301'.repeat(128))).toBe('é'.repeat(128))
  })

  it('reads versions', () => {
    expect(checkSemanticVersion('10.0.3')).toBe('10.0.3')
    for (const bad of [
      '1.0',
      'v1.0.0',
      '1.0.0-beta',
      '01.0.0',
      ' 1.0.0',
      '1.0.0\n',
      '1.0.1e3',
      `1.0.${'9'.repeat(16)}`,
    ]) {
      expect(() => checkSemanticVersion(bad), bad).toThrow(expect.objectContaining({ code: 'invalid-version' }))
    }
  })

  it.each([
    ['flowers', { name: 'flowers' }],
    ['flowers:golden', { name: 'flowers', versionOrAlias: 'golden' }],
    ['vision/flowers', { workspace: 'vision', name: 'flowers' }],
    ['vision/flowers:4.0.0', { workspace: 'vision', name: 'flowers', versionOrAlias: '4.0.0' }],
  ])('parses %s', (text, parts) => expect(parseArtifactName(text)).toEqual(parts))

  it.each(['', ':', '/', 'a/', '/a', 'a:', ':a', 'a/b/c', 'a:b:c', 'a/b:c/d'])(
    'refuses the artifact name %j',
    (text) => {
      expect(() => parseArtifactName(text)).toThrow(expect.objectContaining({ code: 'invalid-name' }))
    },
  )
})

describe('comparePaths', () => {
  it('is the order of UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(comparePaths(a, b))).toBe(Math.sign(compareBytes(a, b)))
      }),
      { numRuns: 1000 },
    )
    expect(comparePaths('\uff5e', '\u{1f600}')).toBeLessThan(0)
  })
})

describe('foldPath', () => {
  it.each([
    ['A.png', 'a.PNG'],
    ['caf\u00e9', 'CAFE\u0301'],
    ['stra\u00dfe', 'STRASSE'],
    ['\u03c3', '\u03c2'],
    ['\ufb01le', 'FILE'],
  ])('takes %s and %s for the same file', (a, b) => expect(foldPath(a)).toBe(foldPath(b)))

  it('is stable for every code point', () => {
    for (let code = 0; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue
      const once = foldPath(String.fromCodePoint(code))
      if (foldPath(once) !== once) throw new Error(`U+${code.toString(16)} folds twice`)
    }
  })
})
