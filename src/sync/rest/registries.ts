import * as z from "zod";
import type { ResourceObject } from "../../resources/index.ts";
import { LOCAL_REGISTRY, REGISTRIES, type RegistrySpec, type RegistryStatus } from "../kinds/index.ts";
import { displayName } from "./object-names.ts";
import { checkDisplayName, listedObjects, namespacesOf, newName, targetObject } from "./objects.ts";
import {
  changedRegistry,
  registryChange,
  registryInput,
  registryView,
  viewLocal,
  viewRegistry,
  type RegistryView,
} from "./registry-view.ts";
import { writeRegistry } from "./registry-write.ts";
import { RestFault } from "./rest-fault.ts";
import { type RestCall, type RestRoute, route } from "./route.ts";

type RegistryObject = ResourceObject<RegistrySpec, RegistryStatus>;

const PATH = "/api/v1/registries";
const tag = "registries";
const deleted = z.object({ message: z.string() });
const names = z.array(z.string());
/** What the resource API's own endpoint answers to a test, and to what it lists. */
const testAnswer = z.object({ ok: z.boolean(), message: z.string() });
const listAnswer = z.object({ items: names });

/** Registries as numbered resources. */
export const REGISTRY_ROUTES: readonly RestRoute[] = [
  route({
    method: "GET",
    path: PATH,
    summary: "All registries, this one itself included",
    tag,
    asked: { verb: "list", kind: REGISTRIES },
    status: 200,
    answer: z.array(registryView),
    handle: async (call) => Response.json(await listRegistries(call)),
  }),
  route({
    method: "POST",
    path: PATH,
    summary: "Adds a registry",
    tag,
    asked: { verb: "create", kind: REGISTRIES },
    body: registryInput,
    status: 201,
    answer: registryView,
    failures: { 409: "There is one of that name." },
    async handle(call, _query, { name: display, ...given }) {
      const { namespace } = call;
      const name = await newName(call, REGISTRIES, display);
      const { password, token } = given;
      const change = () => changedRegistry({}, given);
      const { object } = await writeRegistry(call, { namespace, name, display, password, token, change });
      return Response.json(await numberedView(call, object), { status: 201 });
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id`,
    summary: "One registry",
    tag,
    asked: { verb: "get", kind: REGISTRIES },
    of: "registry",
    status: 200,
    answer: registryView,
    handle: async (call) => Response.json(await oneRegistry(call)),
  }),
  route({
    method: "PUT",
    path: `${PATH}/:id`,
    summary: "Changes what is given, and nothing else",
    tag,
    asked: { verb: "update", kind: REGISTRIES },
    of: "registry",
    body: registryChange,
    status: 200,
    answer: registryView,
    failures: { 409: "There is another one of the new name." },
    async handle(call, _query, given) {
      const { namespace, name } = call;
      const current = await registryObject(call);
      const display = given.name ?? displayName(current.metadata);
      if (display !== displayName(current.metadata)) await checkDisplayName(call, REGISTRIES, display);
      const { password, token } = given;
      const change = (spec: Partial<RegistrySpec> = {}) => changedRegistry(spec, given);
      const { object } = await writeRegistry(call, { namespace, name, display, password, token, change });
      return Response.json(viewRegistry(call.id, object));
    },
  }),
  route({
    method: "DELETE",
    path: `${PATH}/:id`,
    summary: "Removes a registry and the secrets that were given for it",
    tag,
    asked: { verb: "delete", kind: REGISTRIES },
    of: "registry",
    status: 200,
    answer: deleted,
    async handle(call) {
      await registryObject(call);
      await call.client.delete(REGISTRIES, call);
      return Response.json({ message: "registry deleted" });
    },
  }),
  route({
    method: "POST",
    path: `${PATH}/:id/test`,
    summary: "Signs in to the registry",
    tag,
    asked: { verb: "create", kind: REGISTRIES, subresource: "test" },
    of: "registry",
    status: 200,
    answer: z.object({ message: z.string(), registry: registryView }),
    failures: { 503: "It does not answer, or refuses the credentials." },
    async handle(call) {
      const { ok, message } = testAnswer.parse(await call.connect(REGISTRIES, call.name, "test", { method: "POST" }));
      if (!ok) throw new RestFault(503, "the registry cannot be used", message);
      return Response.json({ message, registry: await oneRegistry(call) });
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id/projects`,
    summary: "Projects, organisations or first path components",
    tag,
    asked: { verb: "get", kind: REGISTRIES, subresource: "projects" },
    of: "registry",
    status: 200,
    answer: names,
    failures: { 503: "It cannot be read." },
    async handle(call) {
      const found = await call.connect(REGISTRIES, call.name, "projects", { method: "GET" });
      return Response.json(listAnswer.parse(found).items);
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id/projects/:project/repositories`,
    summary: "Repositories of a project",
    tag,
    asked: { verb: "get", kind: REGISTRIES, subresource: "repositories" },
    of: "registry",
    status: 200,
    answer: names,
    failures: { 503: "It cannot be read." },
    async handle(call) {
      const query = `?${new URLSearchParams({ project: call.parameters["project"] ?? "" }).toString()}`;
      const found = await call.connect(REGISTRIES, call.name, "repositories", { method: "GET", query });
      return Response.json(listAnswer.parse(found).items);
    },
  }),
];

async function listRegistries(call: RestCall): Promise<readonly RegistryView[]> {
  const objects = await listedObjects<RegistrySpec, RegistryStatus>(call, REGISTRIES, "registry");
  const views = objects.map(({ id, object }) => viewRegistry(id, object));
  const places = await namespacesOf(call, REGISTRIES);
  for (const namespace of places ?? new Set(views.map((view) => view.namespace))) {
    if (views.some((view) => view.namespace === namespace && view.name === LOCAL_REGISTRY)) continue;
    views.push(viewLocal(await call.services.ids.idOf("registry", { namespace, name: LOCAL_REGISTRY }), namespace));
  }
  return views.toSorted((first, second) => first.id - second.id);
}

/** How many registries a list has; none for who may not list them. */
export async function countRegistries(call: RestCall): Promise<number> {
  const isEverywhere = call.namespace === "*";
  if (!isEverywhere && !(await call.may({ verb: "list", kind: REGISTRIES }, call.namespace))) return 0;
  return (await listRegistries(call)).length;
}

async function oneRegistry(call: RestCall): Promise<RegistryView> {
  const found = await call.client.find<RegistrySpec, RegistryStatus>(REGISTRIES, call);
  if (found === undefined && call.name === LOCAL_REGISTRY) return viewLocal(call.id, call.namespace);
  return viewRegistry(call.id, found ?? (await targetObject(call, REGISTRIES)));
}

/** @throws {RestFault} 409 for this registry itself, which nothing is to be changed of */
async function registryObject(call: RestCall): Promise<RegistryObject> {
  const found = await call.client.find<RegistrySpec, RegistryStatus>(REGISTRIES, call);
  if (found === undefined && call.name === LOCAL_REGISTRY) {
    throw new RestFault(409, `${LOCAL_REGISTRY} is this registry itself: it is always there as it is`);
  }
  return found ?? targetObject(call, REGISTRIES);
}

async function numberedView(call: RestCall, object: RegistryObject): Promise<RegistryView> {
  const { namespace = "", name } = object.metadata;
  return viewRegistry(await call.services.ids.idOf("registry", { namespace, name }), object);
}
