import { perform } from './browser-suites.ts'

// The next task gets a worker of its own.
void perform().finally(() => close())
