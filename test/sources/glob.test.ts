import { chmod, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileGlob } from '../../src/sources/glob.ts'
import { expandGlob } from '../../src/sources/paths-fs.ts'
import { pathsOf, tempFolder } from './temp-folder.ts'

const tree = {
  'photos/a.jpg': '',
  'photos/b.png': '',
  'photos/.hidden.jpg': '',
  'photos/2024/c.jpg': '',
  'photos/2024/deep/d.jpg': '',
  'photos/.cache/e.jpg': '',
  'photos/we[i]rd/f.jpg': '',
  'labels/a.csv': '',
  'readme.md': '',
}

async function expand(pattern: string | string[], options: { ignore?: string[] } = {}): Promise<string[]> {
  const folder = await tempFolder(tree)
  return pathsOf(expandGlob([pattern].flat(), { folder, ...options }))
}

describe('expandGlob', () => {
  it.each<[string | string[], string[]]>([
    ['photos/*.jpg', ['a.jpg']],
    ['./photos/*.jpg', ['a.jpg']],
    ['photos//*.jpg', ['a.jpg']],
    ['photos/**/*.jpg', ['2024/c.jpg', '2024/deep/d.jpg', 'a.jpg', 'we[i]rd/f.jpg']],
    ['photos/*/*.jpg', ['2024/c.jpg', 'we[i]rd/f.jpg']],
    ['photos/**', ['2024/c.jpg', '2024/deep/d.jpg', 'a.jpg', 'b.png', 'we[i]rd/f.jpg']],
    ['photos/?.{jpg,png}', ['a.jpg', 'b.png']],
    ['{photos/2024,labels}/*', ['labels/a.csv', 'photos/2024/c.jpg']],
    ['photos/[ab].*', ['a.jpg', 'b.png']],
    ['photos/.*', ['.hidden.jpg']],
    ['photos/.cache/*', ['e.jpg']],
    ['photos/we\\[i\\]rd/*', ['f.jpg']],
    ['photos/@(a|b).*', ['a.jpg', 'b.png']],
    ['photos/(a|b).*', ['a.jpg', 'b.png']],
    ['{photos,labels}/*.{jpg,csv}', ['labels/a.csv', 'photos/a.jpg']],
    ['{photos/2024,labels}/**/*.{jpg,csv}', ['labels/a.csv', 'photos/2024/c.jpg', 'photos/2024/deep/d.jpg']],
    ['photos/{.cache,2024}/*.jpg', ['.cache/e.jpg', '2024/c.jpg']],
    ['photos/@(.cache|2024)/*.jpg', ['.cache/e.jpg', '2024/c.jpg']],
    ['*.md', ['readme.md']],
    ['**/a.*', ['labels/a.csv', 'photos/a.jpg']],
    [
      ['photos/*.jpg', 'labels/*.csv'],
      ['labels/a.csv', 'photos/a.jpg'],
    ],
    [
      ['photos/**/*.jpg', '!**/deep/**'],
      ['2024/c.jpg', 'a.jpg', 'we[i]rd/f.jpg'],
    ],
    [['photos/*', '!photos/b.png'], ['a.jpg']],
    ['photos/a.jpg', ['a.jpg']],
  ])('%j matches %j', async (pattern, expected) => {
    expect(await expand(pattern)).toEqual(expected)
  })

  it('takes an absolute pattern, and one that goes up', async () => {
    const folder = await tempFolder(tree)
    expect(await pathsOf(expandGlob([`${folder}/photos/*.jpg`]))).toEqual(['a.jpg'])
    expect(await pathsOf(expandGlob(['../labels/*.csv'], { folder: join(folder, 'photos') }))).toEqual(['a.csv'])
  })

  it('honours ignore patterns', async () => {
    expect(await expand('photos/**/*.jpg', { ignore: ['deep/', 'a.jpg'] })).toEqual(['2024/c.jpg', 'we[i]rd/f.jpg'])
  })

  it.each<[string | string[], string]>([
    ['photos/*.gif', 'photos/*.gif'],
    ['nowhere/*.jpg', 'nowhere/*.jpg'],
    ['readme.md/*', 'readme.md/*'],
    [['photos/*.jpg', 'labels/*.txt'], 'labels/*.txt'],
    [['!photos/*.jpg'], '!photos/*.jpg'],
    ['labels', 'labels'],
  ])('is an error when %j matches nothing', async (pattern, named) => {
    const expanded = expand(pattern)
    await expect(expanded).rejects.toMatchObject({
      code: 'glob-no-match',
      category: 'NotFoundError',
      fields: { pattern: named },
    })
    await expect(expanded).rejects.toThrow(named)
  })

  it('passes by links and folders it does not want', async () => {
    const outside = await tempFolder({ 'x.jpg': '', 'y/z.jpg': '' })
    const folder = await tempFolder({ 'a.jpg': '', 'sub/b.jpg': '' })
    await symlink(join(outside, 'x.jpg'), join(folder, 'x.txt'))
    await symlink(join(outside, 'y'), join(folder, 'y'))
    await symlink('nowhere', join(folder, 'broken'))
    expect(await pathsOf(expandGlob(['*.jpg'], { folder }))).toEqual(['a.jpg'])
    expect(await pathsOf(expandGlob(['*.{jpg,png}'], { folder }))).toEqual(['a.jpg'])
    expect(await pathsOf(expandGlob(['{sub,other}/**/*.@(jpg|png)'], { folder }))).toEqual(['sub/b.jpg'])
    await expect(pathsOf(expandGlob(['**/*.jpg'], { folder }))).rejects.toMatchObject({ code: 'link-leaves-folder' })
    await symlink(join(outside, 'x.jpg'), join(folder, 'x.jpg'))
    await expect(pathsOf(expandGlob(['*.jpg'], { folder }))).rejects.toMatchObject({ code: 'link-leaves-folder' })
  })
})

describe('compileGlob', () => {
  it('enters only folders that can hold a match', () => {
    const enters = (pattern: string, folder: string) => compileGlob([pattern]).wanted(folder, 'folder')
    expect(enters('a/*.jpg', 'x')).toBe(false)
    expect(enters('a/*/x/*.jpg', 'any')).toBe(true)
    expect(enters('a/*/x/*.jpg', 'any/x')).toBe(true)
    expect(enters('a/*/x/*.jpg', 'any/y')).toBe(false)
    expect(enters('a/*/x/*.jpg', 'any/x/z')).toBe(false)
    expect(enters('a/x*/**/b', 'y')).toBe(false)
    expect(enters('a/x*/**/b', 'xy/deep/er')).toBe(true)
    expect(enters('**/*.jpg', '.venv')).toBe(false)
    expect(enters('**/.venv/*', '.venv')).toBe(true)
    expect(enters('*.{jpg,png}', 'x')).toBe(false)
    expect(enters('{a,b}/*.jpg', 'c')).toBe(false)
    expect(enters('{a,b/c}/*.jpg', 'b')).toBe(true)
    expect(enters('**/*.{jpg,png}', '.venv')).toBe(false)
    expect(enters('**/{.venv,x}/*', '.venv')).toBe(true)
  })

  it('never begins at the root because one of several patterns does', () => {
    expect(compileGlob(['/data/*.csv', 'x/*.csv']).base).toBe('')
    expect(compileGlob(['/*.csv']).base).toBe('/')
    expect(compileGlob(['/data/a/*.csv', '/data/b/*.csv']).base).toBe('/data')
  })
})

it('does not read folders beside the pattern', async () => {
  const folder = await tempFolder({ 'a/x.jpg': '', 'locked/y.jpg': '' })
  await chmod(join(folder, 'locked'), 0)
  expect(await pathsOf(expandGlob(['a/*.jpg'], { folder }))).toEqual(['x.jpg'])
  expect(await pathsOf(expandGlob(['a*/*.jpg'], { folder }))).toEqual(['a/x.jpg'])
  await chmod(join(folder, 'locked'), 0o700)
})
