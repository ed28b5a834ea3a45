import { expect, it } from 'vitest'
import { project, type Wire, workspace } from './wire.ts'
import type { Json } from './wire-client.ts'

/** What Comet's Python client asks for, and its R client does not. */
export function wirePython(wire: Wire): void {
  const metadata = () => wire.read<Json>('metadata')

  it('how a run fares, and its script', async () => {
    expect(await metadata()).toMatchObject({ running: true, hasCrashed: false, filePath: null, fileName: null })
    await wire.write('update-status', { isAlive: false, hasCrashed: true, error: 'out of memory' })
    const crashed = await metadata()
    expect(crashed).toMatchObject({ running: false, hasCrashed: true, endTimeMillis: expect.any(Number) })
    const { values } = await wire.read<{ values: Json[] }>('log-other')
    expect(values).toContainEqual(expect.objectContaining({ name: 'error', valueCurrent: 'out of memory' }))
    await wire.write('update-status', { isAlive: true, error: null, hasCrashed: false })
    expect(await metadata()).toMatchObject({ running: true, hasCrashed: false, endTimeMillis: null })
    await wire.write('update-status', { isAlive: false, error: null, hasCrashed: false })
    expect(await metadata()).toMatchObject({ running: false, hasCrashed: false })
    await wire.write('file-path', { filePath: 'src/train.py' })
    expect(await metadata()).toMatchObject({ filePath: 'src/train.py', fileName: 'train.py', running: false })
    expect(await wire.client.refusal('/write/experiment/update-status', { experimentKey: wire.key })).toMatchObject({
      status: 400,
    })
  })

  it('its machine: processors, memory, graphics, load', async () => {
    await wire.write('cpu-metrics', { cpuPercentUtilization: [10, 30], step: 3, timestamp: 1_700_000_000_000 })
    await wire.write('ram-metrics', { totalRam: 1e11, usedRam: 5e10, context: 'train' })
    await wire.write('load-metrics', { loadAverage: 0.5 })
    await wire.write('gpu-metrics', {
      gpus: [
        { gpuId: 0, gpuUtilization: 50, freeMemory: 1, usedMemory: 2, totalMemory: 3 },
        { gpuId: 1, gpuUtilization: 60, freeMemory: 4, usedMemory: 5, totalMemory: 9 },
      ],
    })
    const { values } = await wire.read<{ values: { name: string; valueCurrent: string }[] }>('metrics/summary')
    expect(Object.fromEntries(values.map(({ name, valueCurrent }) => [name, Number(valueCurrent)]))).toEqual({
      'sys.cpu.percent.avg': 20,
      'sys.cpu.percent.01': 10,
      'sys.cpu.percent.02': 30,
      'train_sys.ram.total': 1e11,
      'train_sys.ram.used': 5e10,
      'sys.load.avg': 0.5,
      'sys.gpu.0.gpu_utilization': 50,
      'sys.gpu.0.free_memory': 1,
      'sys.gpu.0.used_memory': 2,
      'sys.gpu.0.total_memory': 3,
      'sys.gpu.1.gpu_utilization': 60,
      'sys.gpu.1.free_memory': 4,
      'sys.gpu.1.used_memory': 5,
      'sys.gpu.1.total_memory': 9,
    })
    expect(await wire.read('metrics/get-metric', { metricName: 'sys.cpu.percent.02' })).toMatchObject({
      metrics: [{ metricValue: '30', step: 3, timestamp: 1_700_000_000_000 }],
    })
    for (const body of [{ cpuPercentUtilization: [] }, { cpuPercentUtilization: ['a', 1] }, {}])
      expect(
        await wire.client.refusal('/write/experiment/cpu-metrics', { experimentKey: wire.key, ...body }),
      ).toMatchObject({
        status: 400,
        code: 'invalid-request',
      })
  })

  it('many parameters deleted at once', async () => {
    for (const parameterName of ['a', 'b', 'c']) await wire.write('parameter', { parameterName, parameterValue: 1 })
    const gone = ['a', 'c'].map((parameterName) => ({ experimentKey: wire.key, parameterName }))
    const reply = await wire.client.reply('POST', '/write/experiments/parameters/delete', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(gone),
    })
    expect(reply.status).toBe(200)
    expect(await wire.read('parameters')).toMatchObject({ values: [{ name: 'b' }] })
    const unknown = [gone[0], { experimentKey: 'e'.repeat(32), parameterName: 'b' }]
    expect(await wire.client.refusal('/write/experiments/parameters/delete', unknown)).toMatchObject({ sdk: 90211 })
    for (const body of [[], {}, [1]])
      expect(await wire.client.refusal('/write/experiments/parameters/delete', body)).toMatchObject({ status: 400 })
    expect(await wire.read('parameters')).toMatchObject({ values: [{ name: 'b' }] })
  })

  it('assets by their name', async () => {
    const upload = (fileName: string, type: string) =>
      wire.client.upload(
        '/write/experiment/upload-asset',
        { experimentKey: wire.key, type, fileName },
        { file: { name: 'x', type: 'text/plain', bytes: new TextEncoder().encode(type) } },
      )
    await upload('a/x.txt', 'asset')
    await upload('a/x.txt', 'notes')
    await upload('y.txt', 'asset')
    const named = async (query: Record<string, string>) =>
      (await wire.read<{ assets: { fileName: string; type: string }[] }>('asset/get-by-name', query)).assets.map(
        ({ fileName, type }) => [fileName, type],
      )
    expect(await named({ assetName: 'a/x.txt' })).toEqual([
      ['a/x.txt', 'asset'],
      ['a/x.txt', 'notes'],
    ])
    expect(await named({ assetName: 'a/x.txt', type: 'notes' })).toEqual([['a/x.txt', 'notes']])
    expect(await named({ assetName: 'x.txt' })).toEqual([])
  })

  it('projects: notes, a description, another name', async () => {
    await wire.write('metric', { metricName: 'loss', metricValue: 1 })
    const { projectId } = await metadata()
    expect(await wire.client.get('/project/notes', { projectId: String(projectId) })).toEqual({ notes: '' })
    await wire.client.post('/write/project/notes', { projectId, notes: '# wet\nand cold' })
    await wire.client.post('/write/project/update', { projectId, newProjectDescription: 'about', isPublic: true })
    await wire.client.post('/write/project/create', {
      projectName: 'taken',
      workspaceName: workspace,
      projectDescription: '',
      isPublic: false,
    })
    const named = { workspaceName: workspace, projectName: project }
    const refused = { ...named, newProjectDescription: 'not this' }
    expect(await wire.client.refusal('/write/project/update', { ...refused, newProjectName: 'a/b' })).toMatchObject({
      status: 400,
    })
    expect(await wire.client.refusal('/write/project/update', { ...refused, newProjectName: 'taken' })).toMatchObject({
      status: 400,
      code: 'project-exists',
    })
    const renamed = await wire.client.post('/write/project/update', { ...named, newProjectName: 'renamed' })
    expect(await wire.client.get('/project/notes', { projectId: String(renamed.projectId) })).toEqual({
      notes: '# wet\nand cold',
    })
    expect(await wire.client.get('/project', { workspaceName: workspace, projectName: 'renamed' })).toMatchObject({
      projectName: 'renamed',
      projectDescription: 'about',
      public: true,
      numberOfExperiments: 1,
    })
    expect(await metadata()).toMatchObject({ projectName: 'renamed' })
    const { columns } = await wire.client.get<{ columns: Json[] }>('/project/column-names', {
      workspaceName: workspace,
      projectName: 'renamed',
    })
    expect(columns).toContainEqual(expect.objectContaining({ name: 'loss', source: 'metrics' }))
    expect(
      (await wire.client.get<{ projects: Json[] }>('/projects', { workspaceName: workspace })).projects.map(
        ({ projectName }) => projectName,
      ),
    ).toEqual(['renamed', 'taken'])
    // What was said of the project went with it.
    expect(await wire.client.get('/project/notes', named)).toEqual({ notes: '' })
    expect(await wire.client.refusal('/write/project/update', { ...named, newProjectDescription: 'x' })).toMatchObject({
      code: 'project-not-found',
    })
    expect(await wire.client.refusal('/write/project/update', { projectId: renamed.projectId })).toMatchObject({
      sdk: 42006,
    })
  })
}
