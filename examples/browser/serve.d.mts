/** Serves the page on a port, 0 for a free one; gives its address and a way to stop. */
export function serve(port?: number): Promise<{ readonly url: string; close(): Promise<void> }>
