import { restPrefix } from '../protocol/routes.ts'

export const uploadPath = `${restPrefix}/write/experiment/upload-asset`

/** How an asset is described where it is sent. */
export interface AssetDescription {
  /** Comet's parameters. */
  readonly search: Readonly<Record<string, string | number | boolean | undefined>> & { readonly fileName: string }
  /** JSON. */
  readonly metadata: string | undefined
}
