import { expect, it } from 'vitest'
import { project, type Wire, workspace } from './wire.ts'
import type { Json } from './wire-client.ts'

/** Workspaces, projects, and experiments as such, as Comet's clients ask for it. */
export function wireProjects(wire: Wire): void {
  it('workspaces, projects, experiments and columns', async () => {
    expect((await wire.client.get<{ workspaceNames: string[] }>('/workspaces')).workspaceNames).toContain(workspace)
    await wire.client.post('/write/project/create', {
      isPublic: false,
      projectName: 'new one',
      workspaceName: workspace,
      projectDescription: 'about it',
    })
    const list = async () =>
      (await wire.client.get<{ projects: Json[] }>('/projects', { workspaceName: workspace })).projects
    expect(await list()).toEqual([
      expect.objectContaining({
        projectName: 'new one',
        projectDescription: 'about it',
        numberOfExperiments: 0,
        public: false,
        workspaceName: workspace,
      }),
      expect.objectContaining({ projectName: project, numberOfExperiments: 1, lastUpdated: expect.any(Number) }),
    ])
    const id = (await list()).find(({ projectName }) => projectName === project)?.projectId
    const byName = { projectName: project, workspaceName: workspace, archived: false }
    const byId = { projectId: String(id), archived: false }
    const described = { projectName: project, workspaceName: workspace, numberOfExperiments: 1 }
    for (const query of [{ projectName: project, workspaceName: workspace }, { projectId: String(id) }])
      expect(await wire.client.get('/project', query)).toMatchObject(described)
    const experiments = await wire.client.get<{ experiments: Json[] }>('/experiments', byName)
    expect(experiments.experiments).toEqual([
      expect.objectContaining({ experimentKey: wire.key, experimentName: 'first', archived: false, projectId: id }),
    ])
    expect(await wire.client.get('/experiments', byId)).toEqual(experiments)
    await wire.write('metric', { metricName: 'loss', metricValue: 1, timestamp: 1 })
    const columns = await wire.client.get<{ columns: Json[] }>('/project/column-names', byName)
    expect(await wire.client.get('/project/column-names', byId)).toEqual(columns)
    expect(columns.columns.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['duration', 'experimentKey', 'Created from', 'loss']),
    )
    expect(columns.columns).toContainEqual({
      name: 'duration',
      id: 'duration--metadata',
      type: 'timenumber',
      source: 'metadata',
    })
    await wire.client.post('/write/project/delete', {
      deleteAllExperiments: true,
      projectName: 'new one',
      workspaceName: workspace,
    })
    expect((await list()).map(({ projectName }) => projectName)).toEqual([project])
    await wire.client.post('/write/project/delete', {
      deleteAllExperiments: true,
      projectName: project,
      workspaceName: workspace,
    })
    expect(
      (await wire.client.failure(wire.client.reply('GET', `/experiment/metadata?experimentKey=${wire.key}`))).sdk,
    ).toBe(90211)
    expect((await wire.client.get('/experiments', byName)).experiments).toEqual([])
  })

  it('workspaces that are made, and ones that are not there yet', async () => {
    expect(await wire.client.post('/write/workspace/new', { name: 'lab' })).toEqual({
      msg: 'saved',
      code: 200,
      workspace_name: 'lab',
      workspace_id: expect.any(String),
    })
    expect((await wire.client.get<{ workspaceNames: string[] }>('/workspaces')).workspaceNames).toContain('lab')
    expect(await wire.client.get('/projects', { workspaceName: 'lab' })).toEqual({ projects: [] })
    expect(await wire.client.get('/experiments', { workspaceName: 'lab' })).toEqual({ experiments: [] })
    const again = wire.client.reply('POST', '/write/workspace/new', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'lab' }),
    })
    expect(await wire.client.failure(again)).toMatchObject({ status: 400, code: 'workspace-exists' })
    // Programs look at what there is before they log.
    const query = { workspaceName: 'nowhere', projectName: 'p' }
    expect(await wire.client.get('/projects', { workspaceName: 'nowhere' })).toEqual({ projects: [] })
    expect(await wire.client.get('/experiments', query)).toEqual({ experiments: [] })
    expect(await wire.client.get('/project/column-names', query)).toMatchObject({ columns: expect.any(Array) })
    expect(await wire.client.get('/artifacts/get-all', { workspace: 'nowhere' })).toEqual({ artifacts: [] })
    expect(
      await wire.client.failure(wire.client.reply('GET', '/project?workspaceName=nowhere&projectName=p')),
    ).toMatchObject({
      status: 400,
      code: 'project-not-found',
    })
    // What is logged there makes it, and its project.
    await wire.client.post('/write/experiment/create', { workspaceName: 'nowhere', projectName: 'p' })
    expect((await wire.client.get<{ projects: Json[] }>('/projects', { workspaceName: 'nowhere' })).projects).toEqual([
      expect.objectContaining({ projectName: 'p', numberOfExperiments: 1 }),
    ])
    await wire.client.post('/write/project/create', { workspaceName: 'a third', projectName: 'p', isPublic: false })
    expect((await wire.client.get<{ workspaceNames: string[] }>('/workspaces')).workspaceNames).toContain('a third')
  })

  it('pages of projects', async () => {
    for (const projectName of ['a', 'b', 'c', 'd'])
      await wire.client.post('/write/project/create', { projectName, workspaceName: 'paged', isPublic: true })
    const names = async (query: Json) => {
      const { projects, ...rest } = await wire.client.get<{ projects: Json[] }>('/projects/page', {
        workspaceName: 'paged',
        ...query,
      })
      return [projects.map(({ projectName }) => projectName), rest]
    }
    expect(await names({})).toEqual([['a', 'b', 'c', 'd'], { page: 1, pageSize: 100, totalProjects: 4 }])
    expect(await names({ page: 2, pageSize: 3 })).toEqual([['d'], { page: 2, pageSize: 3, totalProjects: 4 }])
    expect(await names({ page: 3, pageSize: 3 })).toEqual([[], { page: 3, pageSize: 3, totalProjects: 4 }])
    for (const query of ['page=0', 'pageSize=0', 'page=x', 'pageSize=100000'])
      expect(
        await wire.client.failure(wire.client.reply('GET', `/projects/page?workspaceName=paged&${query}`)),
        query,
      ).toMatchObject({ status: 400, code: 'invalid-request' })
  })

  it('experiments are moved, or shown elsewhere too', async () => {
    const { experimentKey } = await wire.client.post('/write/experiment/create', {
      projectName: project,
      workspaceName: workspace,
    })
    const second = String(experimentKey)
    const list = async (projectName: string, workspaceName = workspace) =>
      (await wire.client.get<{ experiments: Json[] }>('/experiments', { projectName, workspaceName })).experiments.map(
        (one) => one.experimentKey,
      )
    const move = (experimentKeys: string[], targetProjectName: string, symlink: boolean, to = workspace) =>
      wire.client.post('/write/experiment/move', {
        experimentKeys,
        targetProjectName,
        targetWorkspaceName: to,
        symlink,
      })
    await move([wire.key, second], 'shown', true)
    expect([await list(project), await list('shown')]).toEqual([
      [wire.key, second],
      [wire.key, second],
    ])
    await move([wire.key], 'moved', false)
    expect([await list(project), await list('shown'), await list('moved')]).toEqual([
      [second],
      [wire.key, second],
      [wire.key],
    ])
    expect(await wire.read('metadata')).toMatchObject({ projectName: 'moved', workspaceName: workspace })
    // To another workspace, into a project of the same name; twice is once.
    await move([wire.key, second], 'moved', false, 'elsewhere')
    await move([wire.key, second], 'moved', false, 'elsewhere')
    expect([await list(project), await list('moved'), await list('moved', 'elsewhere')]).toEqual([
      [],
      [],
      [wire.key, second],
    ])
    await wire.write('metric', { metricName: 'loss', metricValue: 1, timestamp: 1 })
    expect(await wire.read('metadata')).toMatchObject({ workspaceName: 'elsewhere', projectName: 'moved' })
    // None goes when one of them is not there.
    const body = { targetProjectName: 'x', targetWorkspaceName: workspace, symlink: false }
    const failing = wire.client.reply('POST', '/write/experiment/move', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, experimentKeys: [wire.key, 'f'.repeat(32)] }),
    })
    expect(await wire.client.failure(failing)).toMatchObject({ status: 400, sdk: 90211 })
    expect(await list('moved', 'elsewhere')).toEqual([wire.key, second])
  })

  it('a project that goes without its experiments leaves them in general', async () => {
    await wire.client.post('/write/project/delete', {
      deleteAllExperiments: false,
      projectName: project,
      workspaceName: workspace,
    })
    expect(await wire.read('metadata')).toMatchObject({ projectName: 'general', experimentName: 'first' })
    const { experiments } = await wire.client.get<{ experiments: Json[] }>('/experiments', {
      projectName: 'general',
      workspaceName: workspace,
    })
    expect(experiments).toHaveLength(1)
  })

  it('metadata, archive, restore, delete, times and the sign of life', async () => {
    expect(await wire.read('metadata')).toMatchObject({
      archived: false,
      running: true,
      hasCrashed: false,
      throttle: false,
      projectName: project,
      workspaceName: workspace,
      experimentName: 'first',
      startTimeMillis: expect.any(Number),
    })
    await wire.client.get('/write/experiment/archive', { experimentKey: wire.key })
    expect(await wire.read('metadata')).toMatchObject({ archived: true })
    const list = async (archived: boolean) =>
      (
        await wire.client.get<{ experiments: Json[] }>('/experiments', {
          projectName: project,
          workspaceName: workspace,
          archived,
        })
      ).experiments.length
    expect([await list(false), await list(true)]).toEqual([0, 1])
    await wire.client.get('/write/experiment/restore', { experimentKey: wire.key })
    expect([await list(false), await list(true)]).toEqual([1, 0])
    await wire.write('set-start-end-time', { startTimeMillis: 1_700_000_000_000 })
    await wire.write('set-start-end-time', { endTimeMillis: 4_000_000_000_000 })
    expect(await wire.read('metadata')).toMatchObject({
      startTimeMillis: 1_700_000_000_000,
      endTimeMillis: 4_000_000_000_000,
    })
    const status = await wire.client.get('/write/experiment/set-status', { experimentKey: wire.key })
    expect(status).toEqual({
      isAliveBeatDurationMillis: 10_000,
      gpuMonitorIntervalMillis: 60_000,
      cpuMonitorIntervalMillis: 68_000,
    })
    expect(
      (await wire.client.get('/write/project/symlink', { experimentKey: wire.key, projectName: 'other' })).link,
    ).toEqual(expect.any(String))
    expect(
      (await wire.client.get('/write/project/symlink', { experimentKey: wire.key, projectName: project })).link,
    ).toEqual(expect.any(String))
    const linked = await wire.client.get<{ experiments: Json[] }>('/experiments', {
      projectName: 'other',
      workspaceName: workspace,
    })
    expect(linked.experiments).toEqual([expect.objectContaining({ experimentKey: wire.key, projectName: project })])
    for (const deleteAllExperiments of [false, true]) {
      await wire.client.post('/write/project/delete', {
        projectName: 'other',
        workspaceName: workspace,
        deleteAllExperiments,
      })
      await wire.client.post('/write/project/create', { projectName: 'other', workspaceName: workspace })
      expect(await wire.client.get('/experiments', { projectName: 'other', workspaceName: workspace })).toEqual({
        experiments: [],
      })
      await wire.client.get('/write/project/symlink', { experimentKey: wire.key, projectName: 'other' })
    }
    expect(await wire.read('metadata')).toMatchObject({ projectName: project })
    await wire.client.get('/write/experiment/delete', { experimentKey: wire.key })
    expect(
      await wire.client.failure(wire.client.reply('GET', `/experiment/metadata?experimentKey=${wire.key}`)),
    ).toMatchObject({
      status: 400,
      sdk: 90211,
    })
    expect([await list(false), await list(true)]).toEqual([0, 0])
    expect(
      await wire.client.failure(wire.client.reply('GET', `/write/experiment/set-status?experimentKey=${wire.key}`)),
    ).toMatchObject({ sdk: 90211 })
  })
}
