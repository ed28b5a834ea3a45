import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { everywhere } from '../../src/backend/access.ts'
import { createBackend } from '../../src/backend/backend.ts'
import { Artifact, connect, memoryStore, type Tidemark } from '../../src/index.ts'
import { serve } from '../../src/server/node.ts'
import { temporaryFolder } from './exchange.ts'
import { interpreter } from './python.ts'

/** A server, our client of it, and Comet's own Python client of it, unmodified. */
async function start(): Promise<{ tidemark: Tidemark; folder: string; run: (script: string) => Promise<unknown> }> {
  const folder = await temporaryFolder()
  const store = memoryStore()
  const backend = createBackend({ records: store, blobs: store, access: 'keys', workspaces: ['team'] })
  const { key } = await backend.keys.create('test', new Map([[everywhere, 'owner']]))
  const serving = await serve({ fetch: backend.fetch, port: 0 })
  const tidemark = await connect({ url: serving.url, apiKey: key, workspace: 'team' })
  onTestFinished(async () => {
    await tidemark.close()
    await serving.close(1000)
    await backend.close()
  })
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    COMET_URL_OVERRIDE: `${serving.url}/clientlib/`,
    COMET_API_KEY: key,
    COMET_WORKSPACE: 'team',
    // It would tell its maker of failures.
    COMET_ERROR_TRACKING_ENABLE: 'false',
  }
  const run = async (script: string) => {
    const whole = `import json\nfrom comet_ml.api import API, APIExperiment\napi = API(cache=False)\n${script}`
    const options = { env, cwd: folder, timeout: 120_000 }
    const { stdout } = await promisify(execFile)(interpreter, ['-c', whole], options)
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  }
  return { tidemark, folder, run }
}

it('reads our artifacts, downloads them, and changes their labels', async () => {
  const { tidemark, folder, run } = await start()
  const files = join(folder, 'files')
  await mkdir(join(files, 'inner'), { recursive: true })
  await writeFile(join(files, 'a.txt'), 'one')
  await writeFile(join(files, 'inner/b.bin'), new Uint8Array(300_000).fill(7))
  const experiment = await tidemark.createExperiment()
  const artifact = new Artifact('data', 'dataset', { metadata: { rows: 3 }, aliases: ['golden'] })
  await artifact.add(files, { logicalPath: '' })
  await experiment.logArtifact(artifact)
  await experiment.end()
  const found = await run(`
artifact = api.get_artifact('team', 'data', alias='golden')
artifact.download('here', overwrite_strategy='OVERWRITE')
artifact.update_version_tags(['checked'])
artifact.update_aliases(['silver'])
again = api.get_artifact('team', 'data')
print(json.dumps({
  'list': [(one['name'], one['type'], one['versionsCount']) for one in api.get_artifact_list('team')['artifacts']],
  'details': api.get_artifact_details('team', 'data')['latestVersion'],
  'files': sorted((one['fileName'], one['fileSize']) for one in api.get_artifact_files('team', 'data', version='1.0.0')['files']),
  'metadata': artifact.metadata, 'type': artifact.artifact_type, 'version': str(artifact.version), 'size': artifact.size,
  'aliases': sorted(again.aliases), 'tags': sorted(again.version_tags), 'by': again.get_source_experiment().key,
}))`)
  expect(found).toEqual({
    list: [['data', 'dataset', 1]],
    details: '1.0.0',
    files: [
      ['a.txt', 3],
      ['inner/b.bin', 300_000],
    ],
    metadata: { rows: 3 },
    type: 'dataset',
    version: '1.0.0',
    size: 300_003,
    aliases: ['silver'],
    tags: ['checked'],
    by: experiment.key,
  })
  for (const path of ['a.txt', 'inner/b.bin'])
    expect((await readFile(join(folder, 'here', path))).equals(await readFile(join(files, path)))).toBe(true)
  const version = await tidemark.getArtifact('data:silver')
  expect([version.aliases, version.versionTags]).toEqual([['silver'], ['checked']])
})

it('logs an experiment, which we read', async () => {
  const { tidemark, run } = await start()
  const told = await run(`
api.create_project('team', 'flowers', project_description='roses', public=False)
one = APIExperiment(workspace='team', project_name='flowers', experiment_name='first')
state = one.get_state()
for step in range(3): one.log_metric('loss', 1 / (step + 1), step=step)
one.log_parameter('lr', 0.1)
one.log_parameter('gone', 1)
one.delete_parameter('gone')
one.log_other('author', 'ada')
one.add_tags(['good', 'bad'])
one.delete_tags(['bad'])
one.log_html('<b>seen</b>')
one.set_code('x = 1')
one.log_output('first line\\nsecond line')
one.set_os('linux')
one.set_pid(12)
open('notes.txt', 'w').write('some notes')
one.log_asset('notes.txt', name='notes.txt')
one.create_symlink('other')
api.stop_experiment(one.key)
print(json.dumps({
  'key': one.key, 'states': [state, one.get_state()],
  'project': api.get_project('team', 'flowers')['projectDescription'], 'projects': sorted(api.get_projects('team')),
  'listed': [each.key for each in api.get_experiments('team', 'flowers')],
  'losses': [float(each['metricValue']) for each in one.get_metrics('loss')],
  'asset': one.get_asset(one.get_asset_list()[0]['assetId']).decode(), 'system': one.get_system_details()['os'],
  'chart': api.get_metrics_for_chart([one.key], ['loss'], ['lr'])[one.key]['metrics'][0]['steps'],
}))`)
  expect(told).toEqual({
    key: expect.stringMatching(/^[0-9a-z]{32,50}$/),
    states: ['running', 'finished'],
    project: 'roses',
    projects: ['flowers', 'other'],
    listed: [Reflect.get(Object(told), 'key')],
    losses: [1, 1 / 2, 1 / 3],
    asset: 'some notes',
    system: 'linux',
    chart: [0, 1, 2],
  })
  const experiment = await tidemark.getExperiment(String(Reflect.get(Object(told), 'key')))
  expect((await experiment.getMetric('loss')).map(({ step, value }) => [step, value])).toEqual([
    [0, 1],
    [1, 1 / 2],
    [2, 1 / 3],
  ])
  expect((await experiment.getParameters()).map(({ name }) => name)).toEqual(['lr'])
  expect(await experiment.getTags()).toEqual(['good'])
  expect(await experiment.getHtml()).toBe('<b>seen</b>')
  expect(await experiment.getOutput()).toContain('second line')
})

it('tells how runs fare, and changes projects', async () => {
  const { run } = await start()
  const told = await run(`
api.create_project('team', 'flowers', project_description='roses', public=False)
one = APIExperiment(workspace='team', project_name='flowers', experiment_name='first')
open('weights.bin', 'wb').write(b'wwww')
one.log_asset('weights.bin', name='weights.bin')
api._client.update_project('team', 'flowers', new_project_name='plants', description='all of them')
api.set_project_notes('team', 'plants', '# wet')
for name in 'abc': one.log_parameter(name, 1)
one.delete_parameters(['a', 'c'])
one.set_filename('train.py')
one.log_cpu_metrics([10, 30])
one.log_ram_metrics(100, 50)
one.log_load_metrics(0.5)
one.log_gpu_metrics([{'gpuId': 0, 'freeMemory': 1, 'usedMemory': 2, 'gpuUtilization': 50, 'totalMemory': 3}])
one.set_state('crashed')
states = [one.get_state()]
one.set_state('finished')
states.append(one.get_state())
print(json.dumps({
  'notes': api.get_project_notes('team', 'plants'),
  'description': api.get_project('team', 'plants')['projectDescription'],
  'parameters': [each['name'] for each in one.get_parameters_summary()],
  'file': one.get_metadata()['filePath'],
  'metrics': sorted(each['name'] for each in one.get_metrics_summary()),
  'byName': [each['fileName'] for each in api._client.get_experiment_assets_list_by_name(one.key, 'weights.bin')],
  'states': states,
}))`)
  expect(told).toMatchObject({
    notes: '# wet',
    description: 'all of them',
    parameters: ['b'],
    file: 'train.py',
    byName: ['weights.bin'],
    states: ['crashed', 'finished'],
  })
  expect(Reflect.get(Object(told), 'metrics')).toContain('sys.cpu.percent.02')
})

it('registers models, and keeps them when the experiment is gone', async () => {
  const { run } = await start()
  const told = await run(`
import io, os, requests, zipfile
one = APIExperiment(workspace='team', project_name='flowers', experiment_name='first')
requests.post(os.environ['COMET_URL_OVERRIDE'].replace('clientlib/', 'api/rest/v2/write/experiment/upload-asset'),
  params={'experimentKey': one.key, 'type': 'model-element', 'groupingName': 'net', 'fileName': 'weights.bin'},
  files={'file': ('weights.bin', b'wwww')}, headers={'Authorization': os.environ['COMET_API_KEY']}).raise_for_status()
for version in ['1.0.0', '1.1.0']:
  api._client.register_model(one.key, 'net', version, 'team', 'flower-net', None, None, 'first try', ['staging'])
api.update_registry_model_version('team', 'flower-net', '1.1.0', comment='better', stages=['production'])
api.add_registry_model_version_stage('team', 'flower-net', '1.1.0', 'tried')
api.delete_registry_model_version_stage('team', 'flower-net', '1.1.0', 'tried')
api.update_registry_model_notes('team', 'flower-net', '# wet')
api.update_registry_model('team', 'flower-net', new_name='plant-net', description='of plants')
api.delete_registry_model_version('team', 'plant-net', '1.0.0')
api.delete_experiment(one.key)
details = api.get_registry_model_details('team', 'plant-net')
found = zipfile.ZipFile(io.BytesIO(api._client.get_registry_model_zipfile('team', 'plant-net', '1.1.0', None)))
result = {
  'count': api.get_registry_model_count('team'), 'names': api.get_registry_model_names('team'),
  'notes': api.get_registry_model_notes('team', 'plant-net'), 'description': details['description'],
  'versions': [(each['version'], each['comment'], each['stages']) for each in details['versions']],
  'bytes': found.read('weights.bin').decode(),
}
api.delete_registry_model('team', 'plant-net')
print(json.dumps({**result, 'left': api.get_registry_model_names('team')}))`)
  expect(told).toEqual({
    count: 1,
    names: ['plant-net'],
    notes: '# wet',
    description: 'of plants',
    versions: [['1.1.0', 'better', ['production']]],
    bytes: 'wwww',
    left: [],
  })
})
