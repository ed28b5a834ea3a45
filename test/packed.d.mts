/** Makes a project in `folder` that has the packed package installed, without a network; gives the tarball. */
export function installPacked(folder: string): Promise<Uint8Array>
