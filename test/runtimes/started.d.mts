/** Remembers how something that was started is ended, should we be interrupted; gives what ends it, and forgets it. */
export function started<T>(stop: () => T): () => T
