import { CorruptionError, isTidemarkError } from '../errors.ts'
import type { VersionWire } from '../protocol/shapes.ts'
import type { Connection } from './connection.ts'
import { type VerifyOptions, type VerifyReport, verifyStored } from './verify.ts'
import { readVersion } from './versions.ts'

/** What the verification of one version found. */
export interface VersionVerification extends VerifyReport {
  readonly workspace: string
  readonly name: string
  readonly index: number
  readonly version: string
}

/** Verifies one version; a damaged list of assets is reported like any other damage, under the path `''`. */
export async function verifyVersion(
  { api }: Connection,
  wire: VersionWire,
  options: VerifyOptions,
): Promise<VersionVerification> {
  const { workspace, name, index, version } = wire
  return { workspace, name, index, version, ...(await report(readVersion(api, wire), options)) }
}

async function report(reader: ReturnType<typeof readVersion>, options: VerifyOptions): Promise<VerifyReport> {
  try {
    return await verifyStored(reader, options)
  } catch (error) {
    if (
      !(isTidemarkError(error) && error instanceof CorruptionError) &&
      !(isTidemarkError(error) && error.code === 'pack-missing')
    )
      throw error
    const { code, message } = error
    return {
      ok: false,
      files: 0,
      bytes: 0,
      damaged: [{ path: '', code, message }],
      missing: [],
      different: [],
      extra: [],
    }
  }
}
