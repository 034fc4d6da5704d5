import { z } from "zod";
import { compilePolicy, type Identity, type Rule, systemIdentity } from "../../../src/access/index.ts";
import { decidesAccess, DirectoryStore, iamGroup, mayActAsBy, ResourceDirectory } from "../../../src/iam/index.ts";
import type { Clock } from "../../../src/platform/index.ts";
import {
  createResources,
  type FullStorage,
  type RequestContext,
  type ResourceClient,
  type ResourceInput,
  type ResourceObject,
} from "../../../src/resources/index.ts";
import { SECURE_VALUES } from "../../../src/secrets/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

export const IAM = "iam.entrepot.dev";

/** Of users and service accounts, what the directory reads. */
const accountSpec = z.object({
  disabled: z.boolean().optional(),
  displayName: z.string().optional(),
  email: z.string().optional(),
  identities: z.array(z.object({ issuer: z.string(), subject: z.string() })).optional(),
});

const account = (kind: string, plural: string, scope: "Cluster" | "Namespaced") => ({
  declaration: { kind, plural, scope, description: "Someone.", spec: accountSpec },
});

/** Nobody watches here. */
const DEAF_HUBS = {
  idFromName: (name: string) => name,
  get: () => ({ poke: async () => {} }),
} as unknown as DurableObjectNamespace;

export interface IamOptions {
  readonly clock?: Clock;
  /** In milliseconds. */
  readonly staleness?: number;
}

/** The group and the directory over the real database: another call is another isolate. */
export function iamPlatform({ clock = Date.now, staleness = 0 }: IamOptions = {}) {
  const client = (): ResourceClient => resources.client;
  const questions = { statements: 0 };
  const database = {
    prepare(sql: string) {
      questions.statements += 1;
      return bindings.DB.prepare(sql);
    },
    batch: bindings.DB.batch.bind(bindings.DB),
  };
  const directory = new ResourceDirectory({
    store: new DirectoryStore(database),
    client,
    clock,
    log: quietLog,
    staleness,
  });
  const resources = createResources({
    secretKind: SECURE_VALUES,
    database: bindings.DB,
    clock,
    log: quietLog,
    hubs: DEAF_HUBS,
    enqueue: async () => {},
    background: (work) => void work,
    staleness: 0,
    authorizer:
      () =>
      ({ identity, ...asked }) => ({
        decision: identity.policy.decide(asked).allowed ? "allow" : "no-opinion",
      }),
    groups: [
      iamGroup({
        client,
        directory,
        mayActAs: mayActAsBy(directory, () => undefined),
        accounts: [account("User", "users", "Cluster"), account("ServiceAccount", "serviceaccounts", "Namespaced")],
      }),
    ],
    changed(kind) {
      if (decidesAccess(kind)) directory.forget();
    },
  });
  const storage = async (plural: string, group: string): Promise<FullStorage> => {
    const found = await resources.registry.resource(group, plural);
    if (found === undefined) throw new Error(`no ${plural}`);
    return found.storage as FullStorage;
  };
  const at = (place: string) => {
    const slash = place.indexOf("/");
    return { namespace: slash === -1 ? undefined : place.slice(0, slash), name: place.slice(slash + 1) };
  };
  return {
    directory,
    questions,
    storage,
    /** `place` is `[namespace/]name`. */
    create: async (plural: string, place: string, spec: object, given: Partial<RequestContext> = {}) => {
      const { namespace, name } = at(place);
      return (await storage(plural, IAM)).create(contextOf(given), namespace, input(name, spec));
    },
    update: async (plural: string, place: string, spec: object, given: Partial<RequestContext> = {}, group = IAM) => {
      const { namespace, name } = at(place);
      const change = (current: ResourceObject | undefined): ResourceInput => ({ ...input(name, {}), ...current, spec });
      const options = { allowCreate: false };
      return (await (await storage(plural, group)).update(contextOf(given), { namespace, name }, change, options))
        .object;
    },
    remove: async (plural: string, place: string, given: Partial<RequestContext> = {}) => {
      const { namespace, name } = at(place);
      return (await storage(plural, IAM)).delete(
        contextOf(given),
        { namespace, name },
        {
          propagationPolicy: "Background",
        },
      );
    },
    /** Whether someone may pull a repository, by what bindings give to them. */
    mayPull: async (who: string, repository: string): Promise<boolean> => {
      const groups = ["system:authenticated", ...(await directory.teams(who))];
      const policy = compilePolicy(await directory.grants(who, groups), await directory.publicNamespaces());
      const [namespace = ""] = repository.split("/");
      const about = { group: "content.entrepot.dev", resource: "repositories", subresource: "" };
      return policy.decide({ ...about, verb: "pull", namespace, name: repository }).allowed;
    },
  };
}

export type IamPlatform = ReturnType<typeof iamPlatform>;

export function contextOf(given: Partial<RequestContext> = {}): RequestContext {
  return { identity: systemIdentity("tester"), dryRun: false, fieldManager: "test", warn: () => {}, ...given };
}

/** Someone who may do what the rules say, in a namespace or everywhere. */
export function holderOf(rules: readonly Rule[], namespace?: string): Pick<RequestContext, "identity"> {
  const grant = { rules, source: "test", ...(namespace === undefined ? {} : { namespace }) };
  const identity: Identity = {
    name: "holder",
    groups: ["system:authenticated"],
    credential: { type: "password" },
    policy: compilePolicy([grant], new Set()),
  };
  return { identity };
}

function input(name: string, spec: object): ResourceInput {
  return { apiVersion: "", kind: "", metadata: { name }, spec };
}

export const PULL_ALL: Rule = { apiGroups: ["content.entrepot.dev"], resources: ["repositories"], verbs: ["pull"] };
