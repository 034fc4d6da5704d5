import * as z from "zod";
import {
  apiKeyPrefix,
  canMakeKeys,
  endOfMaker,
  issueApiKey,
  issuerOfMaker,
  type IssuedKey,
  KEY_LIFETIME,
  type KeyStore,
  keyState,
  MAX_ACTIVE_KEYS,
  parseServiceAccountIdentity,
  rotateApiKey,
  type StoredKey,
} from "../access/index.ts";
import type { Clock } from "../platform/index.ts";
import {
  type Authorizer,
  badRequest,
  type Connecter,
  decodeBody,
  type KindKey,
  notFound,
  type ObjectRef,
  type RequestContext,
  type ResourceClient,
  StatusError,
} from "../resources/index.ts";
import { type MayActAs, requireActingAs } from "./acting.ts";
import { IAM_GROUP, IAM_VERSION } from "./names.ts";

const API_VERSION = `${IAM_GROUP}/${IAM_VERSION}`;
/** Keys that a list has. */
const MAX_LISTED = 1000;
/** Bytes of a body at the most. */
const MAX_BODY = 4096;

const createBody = z.object({
  name: z.string().min(1).max(253).default("token"),
  expiresInSeconds: z.int().min(KEY_LIFETIME.minimum).max(KEY_LIFETIME.maximum).optional(),
});
const rotateBody = z.object({ overlapSeconds: z.int().min(0).max(KEY_LIFETIME.maximum).default(0) });

/** What API keys of accounts work with. */
export interface TokensPorts {
  readonly keys: KeyStore;
  readonly clock: Clock;
  readonly mayActAs: MayActAs;
  /** Asked for when it is needed, not before: it may be made after the group. */
  readonly client: () => ResourceClient;
}

/** Whose keys they are. */
export interface TokensOwner {
  readonly key: KindKey;
  readonly identityOf: (ref: ObjectRef) => string;
  /** Tells one account from a later one of its name; `undefined` if there is none. */
  readonly uidOf: (ref: ObjectRef) => Promise<string | undefined>;
}

interface Target {
  readonly context: RequestContext;
  readonly identity: string;
  readonly uid: () => Promise<string | undefined>;
  readonly name: string;
}

/**
 * API keys of an account: `GET …/tokens`, `POST …/tokens`, `DELETE …/tokens/<id>`, `POST …/tokens/<id>/rotate`. A key is
 * in the answer that makes it, and never again.
 */
export function tokensConnecter(ports: TokensPorts, owner: TokensOwner): Connecter {
  const { keys, clock, mayActAs } = ports;

  async function list({ identity }: Target): Promise<Response> {
    const items = (await keys.of(identity, MAX_LISTED)).map((key) => itemOf(key, clock()));
    return answer({ kind: "TokenList", apiVersion: API_VERSION, metadata: {}, items });
  }

  /** @throws {StatusError} Forbidden */
  async function checkMaker({ context, identity }: Target): Promise<void> {
    if (context.identity.credential.type === "token" || context.identity.credential.type === "federated") {
      throw new StatusError(
        "Forbidden",
        "a token that is good for minutes cannot make keys: use an API key or sign in",
      );
    }
    await requireActingAs(mayActAs, context.identity, identity, "kept");
  }

  /** @throws {StatusError} Forbidden */
  async function checkRoom(identity: string): Promise<void> {
    if ((await keys.countActive(identity)) < MAX_ACTIVE_KEYS) return;
    throw new StatusError("Forbidden", `an account may have ${MAX_ACTIVE_KEYS} keys at a time: revoke some first`);
  }

  async function create(target: Target, request: Request): Promise<Response> {
    await checkMaker(target);
    const { identity, context } = target;
    await checkRoom(identity);
    const wanted = await bodyOf(request, createBody);
    const before = await target.uid();
    const createdBy = context.identity.name;
    const notAfter = endOfMaker(context.identity, identity);
    const issued = await issueApiKey(
      { keys, clock },
      { identity, createdBy, notAfter, issuer: issuerOfMaker(context.identity, identity), ...wanted },
    );
    return shownOnce(target, issued, before);
  }

  async function rotate(target: Target, id: string, request: Request): Promise<Response> {
    await checkMaker(target);
    const { overlapSeconds } = await bodyOf(request, rotateBody);
    if (overlapSeconds > 0) await checkRoom(target.identity);
    const old = await keys.find(id);
    if (old?.identity !== target.identity) throw missing(id);
    const before = await target.uid();
    const maker = target.context.identity;
    // A key may follow itself for as long a life as it had; otherwise rotating would be a way around `endOfMaker`.
    const notAfter = maker.credential.id === id ? undefined : endOfMaker(maker, target.identity);
    const issuer = issuerOfMaker(maker, target.identity);
    const how = { createdBy: maker.name, overlapSeconds, notAfter, issuer };
    const issued = await rotateApiKey({ keys, clock }, old, how);
    if (issued === undefined) {
      throw new StatusError(
        "Conflict",
        `the key ${id} is ${keyState(old, clock())}: only an active key can be rotated`,
      );
    }
    return shownOnce(target, issued, before);
  }

  /** The account may have gone meanwhile, and another one come: the key was made for the former. */
  async function shownOnce(target: Target, issued: IssuedKey, before: string | undefined): Promise<Response> {
    if (before === undefined || (await target.uid()) !== before) {
      await keys.remove(issued.id);
      throw notFound(owner.key, target.name);
    }
    const { id, name, token, expiresAt } = issued;
    const body = { kind: "Token", apiVersion: API_VERSION, id, name, token };
    return answer({ ...body, ...(expiresAt === undefined ? {} : { expiresAt: timeOf(expiresAt) }) }, 201);
  }

  async function revoke({ identity }: Target, id: string): Promise<Response> {
    const revoked = await keys.revoke(identity, id);
    if (revoked === undefined) throw missing(id);
    return answer({ kind: "Token", apiVersion: API_VERSION, ...itemOf(revoked, clock()) });
  }

  function missing(id: string): StatusError {
    return notFound({ group: owner.key.group, plural: `${owner.key.plural}/tokens` }, id.slice(0, 63));
  }

  return {
    subresource: "tokens",
    description: "API keys of the account. A key is shown when it is made, and never again.",
    methods: ["GET", "POST", "DELETE"],
    async connect(context, { path, ...ref }, request) {
      const { name } = ref;
      const target: Target = { context, name, identity: owner.identityOf(ref), uid: () => owner.uidOf(ref) };
      if (new URL(request.url).searchParams.has("dryRun")) throw badRequest("tokens cannot be dry-run");
      if ((await target.uid()) === undefined) throw notFound(owner.key, name);
      const [id = "", action, ...rest] = path.split("/");
      const route = `${request.method} ${id === "" ? "" : "<id>"}${action === undefined ? "" : `/${action}`}`;
      if (rest.length === 0) {
        if (route === "GET ") return list(target);
        if (route === "POST ") return create(target, request);
        if (route === "POST <id>/rotate") return rotate(target, id, request);
        if (route === "DELETE <id>") return revoke(target, id);
      }
      throw new StatusError("NotFound", "the server could not find the requested resource");
    },
  };
}

/**
 * Lets accounts see themselves, look after their own keys and change their own password, whatever their roles. For
 * credentials that are limited or short-lived it has no opinion: what they make must not outlive them.
 */
export const ownAccountAuthorizer: Authorizer = ({ identity, verb, group, resource, subresource, namespace, name }) => {
  const { credential, scope } = identity;
  if (group !== IAM_GROUP || scope !== undefined || !canMakeKeys(credential.type)) {
    return { decision: "no-opinion" };
  }
  const robot = parseServiceAccountIdentity(identity.name);
  const isOwn =
    robot === undefined
      ? resource === "users" && namespace === "" && name === identity.name
      : resource === "serviceaccounts" && namespace === robot.namespace && name === robot.name;
  const isAllowed =
    (subresource === "" && verb === "get") ||
    (subresource === "tokens" && (verb === "get" || verb === "create" || verb === "delete")) ||
    (subresource === "password" && verb === "create");
  return { decision: isOwn && name !== "" && isAllowed ? "allow" : "no-opinion" };
};

async function bodyOf<S extends z.ZodType>(request: Request, schema: S): Promise<z.infer<S>> {
  const { object } = await decodeBody(request, { limit: MAX_BODY, accept: ["json", "yaml"] });
  const parsed = schema.safeParse(object);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badRequest(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "invalid"}`);
}

function itemOf(key: StoredKey, now: number) {
  return {
    id: key.id,
    prefix: apiKeyPrefix(key.id),
    name: key.name,
    createdAt: timeOf(key.createdAt),
    createdBy: key.createdBy,
    ...(key.expiresAt === null ? {} : { expiresAt: timeOf(key.expiresAt) }),
    ...(key.lastUsedAt === null ? {} : { lastUsedAt: timeOf(key.lastUsedAt) }),
    ...(key.revokedAt === null ? {} : { revokedAt: timeOf(key.revokedAt) }),
    ...(key.replaces === null ? {} : { replaces: key.replaces }),
    ...(key.issuer === null ? {} : { issuer: key.issuer }),
    state: keyState(key, now),
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function answer(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
