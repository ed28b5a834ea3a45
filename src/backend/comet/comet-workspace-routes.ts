import { ConflictError, InvalidInputError, NotFoundError } from '../../errors.ts'
import { checkName } from '../../paths.ts'
import { fromBase64Url, toBase64Url } from '../../protocol/base64.ts'
import { clientPrefix, restPrefix } from '../../protocol/routes.ts'
import type { Access } from '../access.ts'
import { eachOf } from '../each-of.ts'
import { deleteExperiment } from '../experiments/delete-experiment.ts'
import { isIn, listExperiments } from '../experiments/experiment-lists.ts'
import type { Experiment } from '../experiments/experiments.ts'
import { foldersBelow } from '../projects/folders.ts'
import { livingAbout } from '../projects/project-state.ts'
import type { ProjectPlace } from '../projects/projects.ts'
import { Workspaces } from '../projects/workspaces.ts'
import { optional, required, wholeNumber } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import type { Shape } from '../shape.ts'
import { cometBody, flagOf, saved } from './comet-calls.ts'
import { experimentToComet, projectIdOf } from './comet-experiment.ts'

// What every experiment has; names and types as Comet lists them. `duration` and `experimentKey` must be there.
const metadataColumns = [
  ['experimentKey', 'string'],
  ['experimentName', 'string'],
  ['start_server_timestamp', 'datetime'],
  ['end_server_timestamp', 'datetime'],
  ['duration', 'timenumber'],
  ['archived', 'boolean'],
] as const

// Comet's Python client asks for the version of the backend, and offers what came up to then: this is the last of what is here, the deletion of a parameter.
const spokenVersion = '3.29.724'

// Where Comet puts experiments whose project goes without them.
const usualProject = 'general'

/** Workspaces, projects and what is in them, as Comet's REST API v2 has them. */
export function cometWorkspaceRoutes(router: Router, services: Services): void {
  const { projects, migration, options } = services
  const workspaces = new Workspaces(services)

  router.on(
    'GET',
    `${restPrefix}/workspaces`,
    async ({ access }) => json({ workspaceNames: await workspaces.list(access) }),
    'key',
  )
  router.on('POST', `${restPrefix}/write/workspace/new`, async (call) => {
    const workspace = checkName((await cometBody(call)).text('name'), 'workspace')
    call.access.require('owner', workspace)
    await workspaces.create(workspace)
    return json({ msg: 'saved', code: 200, workspace_name: workspace, workspace_id: toBase64Url(workspace) })
  })
  router.on(
    'GET',
    `${restPrefix}/account-details`,
    async ({ access }) => {
      const [first] = [...access.workspaces, ...options.workspaces]
      return json({ userName: first ?? 'default', defaultWorkspaceName: first ?? 'default' })
    },
    'key',
  )
  router.on('GET', `${clientPrefix}/isAlive/ver`, async () => json({ version: spokenVersion }), 'key')
  router.on('GET', `${restPrefix}/projects`, async ({ access, query }) => {
    const workspace = checkName(required(query, 'workspaceName'), 'workspace')
    access.require('reader', workspace)
    return json({ projects: await projectsOf(services, workspace, access) })
  })
  router.on('GET', `${restPrefix}/projects/page`, async ({ access, query }) => {
    const workspace = checkName(required(query, 'workspaceName'), 'workspace')
    access.require('reader', workspace)
    const page = wholeNumber(query, 'page', 1, mostPages) ?? 1
    const pageSize = wholeNumber(query, 'pageSize', 1, longestPage) ?? usualPage
    const found = await projectsOf(services, workspace, access)
    return json({
      projects: found.slice((page - 1) * pageSize, page * pageSize),
      page,
      pageSize,
      totalProjects: found.length,
    })
  })
  router.on('GET', `${restPrefix}/project`, async (call) => {
    const { workspace, project = usualProject } = await projectOf(call, services, workspaces)
    const described = await describe({ workspace, project }, services, call.access)
    if (!described) throw noProject({ workspace, project })
    return json(described)
  })
  router.on('POST', `${restPrefix}/write/project/create`, async (call) => {
    const shape = await cometBody(call)
    const place = placeIn(shape)
    call.access.require('writer', place.workspace)
    const description = shape.optionalText('projectDescription') ?? ''
    const isPublic = shape.optionalFlag('isPublic') ?? false
    const made = await projects.ensure(place, { description, public: isPublic, createdAt: options.now() })
    if (!made) throw projectExists(place)
    return json({ ...saved, projectId: projectIdOf(place) })
  })
  router.on('POST', `${restPrefix}/write/project/update`, async (call) => {
    const shape = await cometBody(call)
    const place = projectIn(shape)
    call.access.require('writer', place.workspace)
    const [description, isPublic] = [shape.optionalText('newProjectDescription'), shape.optionalFlag('isPublic')]
    const name = shape.optionalText('newProjectName')
    if (description === undefined && isPublic === undefined && name === undefined)
      throw new InvalidInputError('There is nothing to update: give a new name, a new description, or isPublic.', {
        code: 'nothing-to-update',
      })
    const named = name === undefined ? place : { ...place, project: checkName(name, 'project') }
    if (!(await projects.isThere(place))) throw noProject(place)
    // First what may be refused.
    if (named.project !== place.project) await renameProject(services, place, named)
    await projects.changeAbout(named, (about) => ({
      ...about,
      ...(description !== undefined && { description }),
      ...(isPublic !== undefined && { public: isPublic }),
    }))
    return json({ ...saved, projectId: projectIdOf(named) })
  })
  router.on('GET', `${restPrefix}/project/notes`, async (call) => {
    const { workspace, project = usualProject } = await projectOf(call, services, workspaces)
    return json({ notes: livingAbout(await projects.read({ workspace, project }))?.notes ?? '' })
  })
  router.on('POST', `${restPrefix}/write/project/notes`, async (call) => {
    const shape = await cometBody(call)
    const place = projectIn(shape)
    call.access.require('writer', place.workspace)
    const notes = shape.text('notes')
    if (notes.length > longestNotes) throw shape.refuse(`'notes' is longer than ${longestNotes} characters`)
    const bytes = 500 + notes.length * 4
    if (!(await projects.changeAbout(place, (about) => ({ ...about, notes }), bytes))) throw noProject(place)
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/project/delete`, async (call) => {
    const shape = await cometBody(call)
    const place = placeIn(shape)
    call.access.require('owner', place.workspace)
    if (!(await projects.isThere(place))) throw noProject(place)
    await deleteProject(services, place, shape.optionalFlag('deleteAllExperiments') ?? false)
    return json(saved)
  })
  router.on('GET', `${restPrefix}/experiments`, async (call) => {
    const { workspace, project } = await projectOf(call, services, workspaces)
    await migration.ensure()
    const archived = flagOf(call.query, 'archived')
    const wanted = project === undefined ? await namesOf(services, workspace) : [project]
    const lists = await eachOf(wanted, (one) => readable({ workspace, project: one }, services, call.access))
    const all = new Map(lists.flat().map((one) => [one.key, one]))
    return json({
      experiments: [...all.values()].filter((one) => one.archived === archived).map((one) => experimentToComet(one)),
    })
  })
  router.on('GET', `${restPrefix}/project/column-names`, async (call) => {
    const { workspace, project } = await projectOf(call, services, workspaces)
    const { columns } = await projects.read({ workspace, project: project ?? usualProject })
    const fixed = metadataColumns.map(([name, type]) => ({ name, type, source: 'metadata' }))
    return json({
      columns: [...fixed, ...columns.values()].map(({ name, type, source }) => ({
        name,
        id: `${name}--${source}`,
        type,
        source,
      })),
    })
  })
}

// They are read with every list of the project's experiments.
const longestNotes = 256 * 1024

// What pages are like is told nowhere: a number from 1, and a size.
const usualPage = 100
const longestPage = 1000
const mostPages = 1_000_000

async function projectsOf(services: Services, workspace: string, access: Access): Promise<object[]> {
  await new Workspaces(services).assertThere(workspace, access)
  await services.migration.ensure()
  const names = await namesOf(services, workspace)
  const described = await eachOf(names, (project) => describe({ workspace, project }, services, access))
  return described.filter((one) => one !== undefined)
}

/** Experiments first: a project that is still there can be deleted again. */
async function deleteProject(services: Services, place: ProjectPlace, withExperiments: boolean): Promise<void> {
  const { experiments, projects, options } = services
  if (!withExperiments && place.project === usualProject) return
  for (const experiment of await listExperiments(services, place)) {
    const { key } = experiment
    // Only shown here, and from now on no more.
    if (!isIn(experiment, place)) await projects.add(place, [['gone', key, options.randomId()]])
    else if (withExperiments) await deleteExperiment(services, key)
    else await experiments.change(key, (before) => ({ ...before, project: usualProject }))
  }
  const about = { description: '', public: false, createdAt: options.now(), deleted: true }
  await projects.add(place, [['about', about]])
}

/** Done again, it goes on where it broke off: the old project says where its experiments go. */
async function renameProject(services: Services, place: ProjectPlace, renamed: ProjectPlace): Promise<void> {
  const { experiments, projects, options } = services
  const { about, columns } = await projects.read(place)
  if (!about) throw noProject(place)
  const { movingTo, ...kept } = about
  if (movingTo !== renamed.project) {
    if (await projects.isThere(renamed)) throw projectExists(renamed)
    await projects.changeAbout(place, (now) => ({ ...now, movingTo: renamed.project }))
  }
  if (!(await projects.ensure(renamed, kept)) && movingTo !== renamed.project) throw projectExists(renamed)
  await projects.addColumns(renamed, [...columns.values()])
  for (const experiment of await listExperiments(services, place))
    if (isIn(experiment, place)) await experiments.change(experiment.key, (before) => ({ ...before, ...renamed }))
    else {
      await projects.add(renamed, [['link', experiment.key]])
      await projects.add(place, [['gone', experiment.key, options.randomId()]])
    }
  await projects.changeAbout(place, (now) => ({ ...now, deleted: true }))
}

async function namesOf({ records }: Services, workspace: string): Promise<string[]> {
  const names: string[] = []
  for await (const name of foldersBelow(records.store, `projects/${workspace}/`)) names.push(name)
  return names
}

/** The experiments of a project that whoever asks may read: those that are only shown there belong to other workspaces, perhaps. */
async function readable(place: ProjectPlace, services: Services, access: Access): Promise<Experiment[]> {
  const all = await listExperiments(services, place)
  return all.filter(({ workspace }) => access.may('reader', workspace))
}

async function describe(place: ProjectPlace, services: Services, access: Access): Promise<object | undefined> {
  const about = livingAbout(await services.projects.read(place))
  if (!about) return undefined
  const members = await readable(place, services, access)
  const { workspace, project } = place
  return {
    projectId: projectIdOf(place),
    projectName: project,
    ownerUserName: workspace,
    projectDescription: about.description,
    workspaceName: workspace,
    numberOfExperiments: members.length,
    lastUpdated: members.reduce(
      (last, { createdAt, endTime }) => Math.max(last, endTime ?? createdAt),
      about.createdAt,
    ),
    public: about.public,
  }
}

function projectIn(shape: Shape): ProjectPlace {
  const id = shape.optionalText('projectId')
  return id === undefined ? placeIn(shape) : parseProjectId(id)
}

function placeIn(shape: Shape): ProjectPlace {
  const project = shape.optionalText('projectName')
  if (!project)
    throw new InvalidInputError("The request does not say which project it is about: 'projectName' is missing.", {
      code: 'project-missing',
    })
  return { workspace: checkName(shape.text('workspaceName'), 'workspace'), project: checkName(project, 'project') }
}

/**
 * The project that a query is about, if whoever asks may read it. One that is named need not be there yet: its first experiment makes it. An id was given by us, so
 * there was one.
 */
async function projectOf(
  { access, query }: Call,
  { projects }: Services,
  workspaces: Workspaces,
): Promise<{ workspace: string; project: string | undefined }> {
  const id = optional(query, 'projectId')
  if (id !== undefined) {
    const place = parseProjectId(id)
    access.require('reader', place.workspace)
    if (await projects.isThere(place)) return place
    throw noProject(place)
  }
  const project = optional(query, 'projectName')
  const workspace = checkName(required(query, 'workspaceName'), 'workspace')
  access.require('reader', workspace)
  await workspaces.assertThere(workspace, access)
  return { workspace, project: project === undefined ? undefined : checkName(project, 'project') }
}

function parseProjectId(id: string): ProjectPlace {
  const [workspace, project, ...rest] = fromBase64Url(id).split('/')
  if (project === undefined || rest.length > 0)
    throw new InvalidInputError('That is not the id of a project.', { code: 'invalid-id' })
  return { workspace: checkName(workspace, 'workspace'), project: checkName(project, 'project') }
}

function noProject({ workspace, project }: ProjectPlace): NotFoundError {
  return new NotFoundError(`No project '${project}' in workspace '${workspace}'. See which there are: /projects.`, {
    code: 'project-not-found',
    fields: { project },
  })
}

function projectExists({ workspace, project }: ProjectPlace): ConflictError {
  return new ConflictError(`There is a project '${project}' in workspace '${workspace}' already.`, {
    code: 'project-exists',
    fields: { project },
  })
}
