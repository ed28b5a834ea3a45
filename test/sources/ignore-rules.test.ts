import { execFileSync } from 'node:child_process'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { comparePaths } from '../../src/paths.ts'
import { createIgnoreRules } from '../../src/sources/ignore-rules.ts'
import { walkFolder } from '../../src/sources/paths-fs.ts'
import { pathsOf, tempFolder } from './temp-folder.ts'

describe('ignore rules', () => {
  it('leaves out our store, version control and litter, and nothing else by itself', async () => {
    const folder = await tempFolder({
      '.tidemark/packs/x': '',
      '.git/HEAD': '',
      'sub/.git': 'gitdir',
      '.DS_Store': '',
      'sub/Thumbs.db': '',
      '.gitignore': '*',
      'node_modules/a.js': '',
      '.env': '',
      a: '',
    })
    expect(await pathsOf(walkFolder(folder))).toEqual(['.env', '.gitignore', 'a', 'node_modules/a.js'])
    expect(await pathsOf(walkFolder(folder, { ignore: ['node_modules/', '!.git'] }))).toEqual([
      '.env',
      '.git/HEAD',
      '.gitignore',
      'a',
      'sub/.git',
    ])
  })

  it('reads an ignore file, which is not taken itself', async () => {
    const folder = await tempFolder({
      '.tidemarkignore': '\ufeff# comment\n*.tmp\r\n/top.txt\n!keep.tmp\n\nbuild/\n',
      'a.tmp': '',
      'keep.tmp': '',
      'top.txt': '',
      'sub/top.txt': '',
      'sub/b.tmp': '',
      'sub/build/x': '',
      'sub/build.txt': '',
    })
    expect(await pathsOf(walkFolder(folder))).toEqual(['keep.tmp', 'sub/build.txt', 'sub/top.txt'])
  })

  it('lets options win over ignore files, and cares about case', async () => {
    const folder = await tempFolder({ '.tidemarkignore': '*.log\n', 'a.log': '', 'b.LOG': '', 'c.txt': '' })
    expect(await pathsOf(walkFolder(folder, { ignore: ['!a.log', 'c.*'] }))).toEqual(['a.log', 'b.LOG'])
    expect(await pathsOf(walkFolder(folder, { ignore: 'c.txt' }))).toEqual(['b.LOG'])
  })

  it('takes what git takes, nested ignore files included', async () => {
    const rules = {
      '.gitignore': '*.tmp\n/only-top\ndist/\ndocs/**/draft.md\n*.[oa]\n!important.tmp\nspaced\\ \n',
      'sub/.gitignore': '!b.tmp\n/anchored\nloose\n# no\n\\#hash\n\\!bang\ninner/deep.txt\n!dist/\n',
      'sub/dist/.gitignore': '*\n!keep\n',
      'we[i]rd !#/.gitignore': 'x*\n!xy\n',
    }
    const files = [
      'a.tmp',
      'important.tmp',
      'only-top',
      'sub/only-top',
      'dist/x',
      'docs/draft.md',
      'docs/a/b/draft.md',
      'docs/final.md',
      'lib.o',
      'lib.c',
      'spaced ',
      'sub/b.tmp',
      'sub/c.tmp',
      'sub/deeper/b.tmp',
      'sub/anchored',
      'sub/deeper/anchored',
      'sub/loose',
      'sub/deeper/loose/x',
      'sub/#hash',
      'sub/!bang',
      'sub/inner/deep.txt',
      'sub/deeper/inner/deep.txt',
      'sub/dist/keep',
      'sub/dist/drop',
      'we[i]rd !#/x1',
      'we[i]rd !#/xy',
      'weird !#/x1',
      'loose',
    ].filter((path) => !path.endsWith(' '))
    const folder = await tempFolder({ ...rules, ...Object.fromEntries(files.map((path) => [path, ''])) })
    execFileSync('git', ['init', '-q'], { cwd: folder })
    const listed = execFileSync(
      'git',
      ['-c', 'core.quotePath=false', 'ls-files', '-z', '--others', '--exclude-standard'],
      { cwd: folder, encoding: 'utf8' },
    )
    const expected = listed
      .split('\0')
      .filter((path) => path !== '' && !path.endsWith('.gitignore'))
      .sort(comparePaths)
    for (const path of Object.keys(rules))
      await rename(join(folder, path), join(folder, path.replace('.gitignore', '.tidemarkignore')))
    expect(await pathsOf(walkFolder(folder))).toEqual(expected)
    expect(expected).not.toContain('sub/dist/drop')
    expect(expected).toContain('sub/dist/keep')
  })

  it('answers the same after very many questions', async () => {
    const rules = await createIgnoreRules('*.tmp')
    for (let i = 0; i < 25_000; i++) {
      if (rules.ignores(`f${i}.tmp`) !== true || rules.ignores(`f${i}.txt`) !== false) throw new Error(`wrong at ${i}`)
    }
  })
})
