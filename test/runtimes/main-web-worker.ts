import { perform } from './browser-suites.ts'

void perform()
