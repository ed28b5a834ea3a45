/** What to do with a file that is there already: fail when it differs, keep it whatever it holds, or replace it once the new bytes are complete. */
export type Overwrite = 'fail' | 'preserve' | 'overwrite'

export const overwriteRules: readonly Overwrite[] = ['fail', 'preserve', 'overwrite']
