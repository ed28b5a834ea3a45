export function repositoryIn(cwd: string): Promise<string>
export function git(cwd: string, ...args: string[]): Promise<string>
