/** A browser of this machine, or why there is none. */
export type Browser = { readonly name: string; readonly packages: readonly string[] } & (
  | {
      readonly program: string
      readonly version: string
      readonly env?: Readonly<Record<string, string>>
      /** For WebKit: the programs that give it a screen, and hands. */
      readonly display?: string
      readonly driver?: string
      readonly missing?: undefined
    }
  | { readonly missing: string }
)

/** Chromium, Firefox and WebKit, in this order. */
export function findBrowsers(): [Browser, Browser, Browser]
