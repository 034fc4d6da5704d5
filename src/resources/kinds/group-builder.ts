import type { Authorizer } from "../authorizer.ts";
import type { ResourceClient } from "../client.ts";
import type { KindDeclaration } from "./kind.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import type { StatusCause } from "../status-error.ts";
import type { Connecter, RequestContext, Storage } from "../storage/storage.ts";
import type { HooksFactory } from "../storage/storage-hooks.ts";

/** What is about to be written. */
export interface AdmissionAttributes {
  readonly context: RequestContext;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** The plural. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** What would be stored, defaults filled in; on `DELETE`, what would go. */
  readonly object: ResourceInput;
  readonly oldObject: ResourceObject | undefined;
}

/** An endpoint of a group that belongs to no object. `path` is below `/apis/<group>/<version>`, and begins with a slash. */
export interface GroupRoute {
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Routes of a namespace stand below `/namespaces/<namespace>`. */
  readonly scope: "root" | "namespace";
  readonly description: string;
  /** OpenAPI 3.0 operation, merged over the generated one. */
  readonly openapi?: Readonly<Record<string, unknown>>;
  /** What an authorizer is asked for, as the resource's name with the verb `connect`. */
  readonly resource: string;
  handle(context: RequestContext, request: Request, namespace: string | undefined): Promise<Response>;
}

/** A kind of a group: its declaration, and what is special about it. */
export interface KindRegistration {
  readonly declaration: KindDeclaration;
  /** The versions that serve it; all of the group's unless given. */
  readonly versions?: readonly string[];
  /** What the kind adds to the general storage, which keeps its objects in the database. */
  readonly hooks?: HooksFactory;
  /** Makes a storage of the kind's own, for objects that are kept elsewhere. The general one serves unless given. */
  readonly storage?: () => Storage;
  readonly connecters?: readonly Connecter[];
}

/** What a group may use once the platform runs. */
export interface StartContext {
  readonly client: ResourceClient;
}

/**
 * An API group. The feature that owns the kinds owns the builder; a line in the composition root registers it.
 * Group, versions and kinds are all it takes. The rest is found by being there.
 */
export interface GroupBuilder {
  /** A DNS name; empty for the core group. */
  readonly group: string;
  /** The preferred version first. */
  readonly versions: readonly string[];
  readonly kinds: readonly KindRegistration[];
  /** Asked before the role rules. */
  readonly authorizer?: Authorizer;
  /** Changes an object before it is validated. */
  readonly mutate?: (attributes: AdmissionAttributes) => ResourceInput | Promise<ResourceInput>;
  /** Refuses an object: what is wrong, or nothing. A thrown `StatusError` passes as it is. */
  readonly validate?: (attributes: AdmissionAttributes) => readonly StatusCause[] | Promise<readonly StatusCause[]>;
  readonly routes?: readonly GroupRoute[];
  /** Called once per isolate, before the first request is served. */
  readonly onStart?: (context: StartContext) => void;
  /** Edits the OpenAPI v3 document of one of the group's versions. */
  readonly openapi?: (document: Record<string, unknown>, version: string) => Record<string, unknown>;
}
