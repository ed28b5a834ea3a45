import { hasMethods, isObject } from './capabilities.ts'

/** A file a browser handed over: File System Access API. */
export function isFileHandle(value: unknown): value is FileSystemFileHandle {
  return isObject(value) && 'kind' in value && value.kind === 'file' && hasMethods(value, 'getFile')
}

/** A folder a browser handed over, or one of its private file system. */
export function isDirectoryHandle(value: unknown): value is FileSystemDirectoryHandle {
  return isObject(value) && 'kind' in value && value.kind === 'directory' && hasMethods(value, 'values')
}
