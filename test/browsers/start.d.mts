/** Flags of Chromium for tests. */
export const chromiumFlags: readonly string[]
/** Preferences of Firefox for tests. */
export const firefoxPreferences: Readonly<Record<string, string | number | boolean>>
/** Options of WebKit's small browser for tests. */
export const webKitOptions: readonly string[]
/** A display that nobody sees: its number, and what ends it. */
export function openScreen(display: string): Promise<{ readonly number: string; close(): void }>
/** What WebKit finds around it. */
export function webKitEnvironment(folder: string, number: string): Readonly<Record<string, string>>
