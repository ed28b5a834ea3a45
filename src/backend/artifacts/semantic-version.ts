/** A version number as three whole numbers, most significant first. */
function parts(version: string): number[] {
  return version.split('.').map(Number)
}

/** Negative when `one` is the lower version. Both are checked semantic versions. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [parts(one), parts(other)]
  for (let at = 0; at < 3; at++) if (a[at] !== b[at]) return a[at] - b[at]
  return 0
}

/** The number a version gets when none is asked for: 1.0.0, then the next major after the highest there was. */
export function nextVersion(highest: string | undefined): string {
  return highest === undefined ? '1.0.0' : `${parts(highest)[0] + 1}.0.0`
}
