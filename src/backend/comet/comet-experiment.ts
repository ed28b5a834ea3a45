import { toBase64Url } from '../../protocol/base64.ts'
import type { Experiment } from '../experiments/experiments.ts'
import type { Health } from '../experiments/heartbeats.ts'

export function projectIdOf({ workspace, project }: { workspace: string; project: string }): string {
  return toBase64Url(`${workspace}/${project}`)
}

/** The fields that lists give too. */
export function experimentToComet(
  { key, name, workspace, project, startTime, endTime, state, archived, filePath }: Experiment,
  health?: Health,
): object {
  return {
    experimentKey: key,
    experimentName: name,
    optimizationId: null,
    projectId: projectIdOf({ workspace, project }),
    projectName: project,
    workspaceName: workspace,
    filePath: filePath ?? null,
    fileName: filePath?.split(/[/\\]/).at(-1) ?? null,
    durationMillis: Math.max(0, (endTime ?? health?.lastSeen ?? startTime) - startTime),
    startTimeMillis: startTime,
    endTimeMillis: endTime,
    archived,
    running: health?.running ?? state === 'running',
    ...(health && { hasCrashed: health.crashed, userName: workspace }),
    throttle: false,
  }
}
