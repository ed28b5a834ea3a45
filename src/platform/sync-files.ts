/** True where files of a site can be written and flushed: in web workers of browsers that have a private file system. */
export function hasSyncFiles(): boolean {
  const handle: unknown = Reflect.get(globalThis, 'FileSystemFileHandle')
  return typeof handle === 'function' && 'createSyncAccessHandle' in handle.prototype
}
