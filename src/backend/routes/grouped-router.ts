import { clientPrefix, restPrefix } from '../../protocol/routes.ts'
import type { Access } from '../access.ts'
import type { Services } from '../services.ts'
import { type RouteGroup, routeGroups } from './route-groups.ts'
import { begins, Router, type Scope, unknownRoute } from './router.ts'

/** All routes, group by group: each group is loaded when one of its paths is first asked for. */
export class GroupedRouter {
  readonly #services: Services
  // The longest first: of the groups whose paths fit, the one that says most is asked.
  readonly #paths = routeGroups
    .flatMap((group) => group.paths.map((path) => ({ group, path: path.split('/') })))
    .sort((one, other) => other.path.length - one.path.length)
  readonly #routers = new Map<RouteGroup, Router>()

  constructor(services: Services) {
    this.#services = services
  }

  /** All there are, `/path/:name` each. Loads what is not loaded yet, also what requests would load beside their routes. */
  async list(): Promise<{ method: string; path: string; scope: Scope }[]> {
    const { loadLateModules } = await import('./late-modules.ts')
    const [routers] = await Promise.all([
      Promise.all(routeGroups.map((group) => this.#routerOf(group))),
      loadLateModules(),
    ])
    return routers.flatMap((router) => router.list())
  }

  /** @throws NotFoundError `unknown-route`; InvalidInputError `wrong-method`, `invalid-url` */
  async handle(request: Request, access: Access): Promise<Response> {
    const url = new URL(request.url)
    const segments = pathOf(url).split('/')
    const found = this.#paths.find(({ path }) => begins(path, segments))
    if (!found) throw unknownRoute(segments.join('/'))
    return (await this.#routerOf(found.group)).handle(request, url, segments, access)
  }

  // Kept when it is there, not while it is loaded: in edge workers a request must not wait for a promise of another one.
  async #routerOf(group: RouteGroup): Promise<Router> {
    const known = this.#routers.get(group)
    if (known) return known
    const declare = await group.load()
    // Another request may have been faster: then this one is the same again.
    const router = new Router()
    declare(router, this.#services)
    this.#routers.set(group, router)
    return router
  }
}

/** Some of Comet's clients join address and path with two slashes, and one has another name for the beginning. */
function pathOf({ pathname }: URL): string {
  const path = pathname.replace(/^\/{2,}/, '/')
  const other = `${clientPrefix}/rest/v2/`
  return path.startsWith(other) ? `${restPrefix}/${path.slice(other.length)}` : path
}
