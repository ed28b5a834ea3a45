import { isZip, openZip } from '../../codecs/zip/zip-reader.ts'

// What Comet's Python client calls it in its archive.
const patchName = 'git_diff.patch'

/** The text of a patch: as it is, or the one in a zip archive, as Comet's Python client sends it. */
export async function gitPatchText(bytes: Uint8Array): Promise<string> {
  return new TextDecoder().decode(isZip(bytes) ? await fromZip(bytes) : bytes)
}

async function fromZip(bytes: Uint8Array): Promise<Uint8Array> {
  const range = async (start: number, end: number) => bytes.subarray(start, end)
  const zip = await openZip({ path: patchName, size: bytes.length, range })
  const entry = zip.entries.find(({ path }) => path === patchName) ?? zip.entries[0]
  return entry ? zip.bytes(entry) : new Uint8Array(0)
}
