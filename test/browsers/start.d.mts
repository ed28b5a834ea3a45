/** Flags of Chromium for tests. */
export const chromiumFlags: readonly string[]
