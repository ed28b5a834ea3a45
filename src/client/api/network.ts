/** What only a connection over a network needs: loaded with its first request. */
export { Heartbeat } from '../log/heartbeat.ts'
export { givenUpWhenSilent } from './silence.ts'
