import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** Imports a source file that is no entry of the package: a codec by itself, without what is around it. */
export async function importSource(path, folder) {
  const outfile = join(folder, `${process.pid}-${path.replaceAll('/', '-')}.mjs`)
  const entry = fileURLToPath(new URL(`../../src/${path}`, import.meta.url))
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', target: 'es2022', logLevel: 'error' })
  return import(pathToFileURL(outfile).href)
}
