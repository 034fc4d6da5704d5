import { type KindKey, notFound, type ResourceObject } from "../../resources/index.ts";
import type { NumberedKind } from "../store/index.ts";
import { displayName, objectName } from "./object-names.ts";
import { listedNamespaces } from "./rest-access.ts";
import { invalidField, RestFault } from "./rest-fault.ts";
import type { RestCall } from "./route.ts";

/** Objects that one list has at the most. */
const MAX_OBJECTS = 10_000;
const PAGE = 500;

/** An object with the number by which it is called here. */
export interface NumberedObject<Spec, Status> {
  readonly id: number;
  readonly object: ResourceObject<Spec, Status>;
}

/** All objects of a namespace; without one, of all namespaces. */
export async function allObjects<Spec, Status = unknown>(
  { client }: Pick<RestCall, "client">,
  kind: KindKey,
  namespace: string | undefined,
): Promise<readonly ResourceObject<Spec, Status>[]> {
  const objects: ResourceObject<Spec, Status>[] = [];
  let next: string | undefined;
  do {
    const page = await client.list<Spec, Status>(kind, {
      limit: PAGE,
      ...(namespace === undefined ? {} : { namespace }),
      ...(next === undefined ? {} : { continue: next }),
    });
    objects.push(...page.items);
    next = page.continue;
  } while (next !== undefined && objects.length < MAX_OBJECTS);
  return objects;
}

/**
 * The namespaces that a list is asked for: one, all (`undefined`), or with `*` those that whoever asks may list. That
 * there is one at least was asked for the request.
 */
export async function namespacesOf(call: RestCall, kind: KindKey): Promise<readonly string[] | undefined> {
  if (call.namespace !== "*") return [call.namespace];
  return (await call.may({ verb: "list", kind }, "")) ? undefined : listedNamespaces(call, kind);
}

/** The objects that a list is asked for, by their numbers. */
export async function listedObjects<Spec, Status = unknown>(
  call: RestCall,
  kind: KindKey,
  numbered: NumberedKind,
): Promise<readonly NumberedObject<Spec, Status>[]> {
  const namespaces = await namespacesOf(call, kind);
  const objects: ResourceObject<Spec, Status>[] = [];
  for (const namespace of namespaces ?? [undefined]) {
    objects.push(...(await allObjects<Spec, Status>(call, kind, namespace)));
  }
  const ids = await call.services.ids.idsOf(
    numbered,
    objects.map(({ metadata }) => ({ namespace: metadata.namespace ?? "", name: metadata.name })),
  );
  return objects
    .map((object, index) => ({ id: ids[index] ?? 0, object }))
    .toSorted((first, second) => first.id - second.id);
}

/** The object that the path names. @throws {StatusError} NotFound */
export async function targetObject<Spec, Status = unknown>(
  { client, namespace, name }: RestCall,
  kind: KindKey,
): Promise<ResourceObject<Spec, Status>> {
  const object = await client.find<Spec, Status>(kind, { namespace, name });
  if (object === undefined) throw notFound(kind, name);
  return object;
}

/** The names of objects by their numbers. @throws {RestFault} 400, naming the field, if there is none */
export async function nameOfNumber(
  { services, namespace }: RestCall,
  numbered: NumberedKind,
  id: number,
  field: string,
): Promise<string> {
  const found = await services.ids.find(numbered, id);
  if (found?.namespace !== namespace) throw invalidField(field, `there is no ${numbered} ${id} in ${namespace}`);
  return found.name;
}

/** The object of a name that people see, or the one that would be made for it. */
export interface NamedObject {
  /** Of the object. */
  readonly name: string;
  readonly isThere: boolean;
}

/** The objects of names that people see, or those that would be made for them, in their order. */
export async function objectsNamed(
  call: RestCall,
  kind: KindKey,
  displays: readonly string[],
): Promise<readonly NamedObject[]> {
  const objects = await allObjects(call, kind, call.namespace);
  const names = new Map(objects.map(({ metadata }) => [displayName(metadata), metadata.name]));
  const taken = new Set(objects.map(({ metadata }) => metadata.name));
  return displays.map((display) => {
    const there = names.get(display);
    if (there !== undefined) return { name: there, isThere: true };
    // One that is called something else now has kept the name that it was made with.
    let name = objectName(display);
    for (let count = 2; taken.has(name); count += 1) name = objectName(`${display} ${count}`);
    return { name, isThere: false };
  });
}

/** A name for the object of a new thing. @throws {RestFault} 409 if there is one that people call that */
export async function newName(call: RestCall, kind: KindKey, display: string): Promise<string> {
  const [named] = await objectsNamed(call, kind, [display]);
  if (named === undefined || named.isThere) throw new RestFault(409, `there is another of the name ${display}`);
  return named.name;
}

/** @throws {RestFault} 409 if an object that is not the one of the path is called that */
export async function checkDisplayName(call: RestCall, kind: KindKey, display: string): Promise<void> {
  const [named] = await objectsNamed(call, kind, [display]);
  if (named?.isThere === true && named.name !== call.name) {
    throw new RestFault(409, `there is another of the name ${display}`);
  }
}
