import { whereThereIs } from '../where-there-is.ts'
import { found, newProfile, type Profile } from './chromium.ts'

/** Declares tests that need a browser. */
export function inChromium(what: string, declare: (newProfile: () => Promise<Profile>) => void): void {
  whereThereIs(`Chromium: ${what}`, found.missing, () => declare(newProfile))
}
