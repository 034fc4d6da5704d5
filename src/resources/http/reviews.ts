import * as z from "zod";
import { isAnonymous } from "../../access/index.ts";
import { StatusError } from "../status-error.ts";
import { decodeBody } from "./body/body.ts";
import { placed } from "../authorizer.ts";
import { type ApiCall, notLoggedIn } from "./call.ts";

/** Bytes of a review at the most. */
const MAX_BODY_BYTES = 64 * 1024;

/** What is before the names of what a review says of the caller besides name and groups. */
const EXTRA = "access.entrepot.dev/";

const accessSchema = z.object({
  spec: z.object({
    resourceAttributes: z
      .object({
        verb: z.string().default(""),
        group: z.string().default(""),
        version: z.string().default(""),
        resource: z.string().default(""),
        subresource: z.string().default(""),
        namespace: z.string().default(""),
        name: z.string().default(""),
      })
      .optional(),
    nonResourceAttributes: z.object({ verb: z.string().default(""), path: z.string().default("") }).optional(),
  }),
});

const rulesSchema = z.object({ spec: z.object({ namespace: z.string().default("") }) });

/** The paths of the reviews; they are answered and not stored. */
const REVIEWS: Readonly<Record<string, (call: ApiCall, apiVersion: string) => Promise<unknown>>> = {
  "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": accessReview,
  "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews": rulesReview,
  "/apis/authentication.k8s.io/v1/selfsubjectreviews": subjectReview,
  "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews": subjectReview,
};

/** What `kubectl auth can-i` and `kubectl auth whoami` ask; `undefined` if the path is no review. */
export async function handleReview(call: ApiCall): Promise<Response | undefined> {
  const { pathname } = call.url;
  const review = Object.hasOwn(REVIEWS, pathname) ? REVIEWS[pathname] : undefined;
  if (review === undefined) return undefined;
  if (isAnonymous(call.identity)) throw notLoggedIn();
  if (call.request.method !== "POST") throw new StatusError("MethodNotAllowed", "reviews are created, by POST");
  const [, , group = "", version = ""] = pathname.split("/");
  return Response.json(await review(call, `${group}/${version}`), { status: 201 });
}

async function accessReview(call: ApiCall, apiVersion: string): Promise<unknown> {
  const { spec } = parse(accessSchema, await body(call));
  const { resourceAttributes: asked, nonResourceAttributes: path } = spec;
  const attributes = placed({
    verb: asked?.verb ?? path?.verb ?? "",
    group: asked?.group ?? "",
    version: asked?.version ?? "",
    resource: asked?.resource ?? "",
    subresource: asked?.subresource ?? "",
    namespace: asked?.namespace ?? "",
    name: asked?.name ?? "",
    path: path?.path ?? "",
  });
  const decision = await call.services.authorizer({ ...attributes, identity: call.identity });
  const allowed = decision.decision === "allow";
  const reason = decision.decision === "deny" ? { reason: decision.reason } : {};
  return { kind: "SelfSubjectAccessReview", apiVersion, metadata: {}, spec, status: { allowed, ...reason } };
}

/** What the caller may do, found by asking for each verb of each kind. */
async function rulesReview(call: ApiCall, apiVersion: string): Promise<unknown> {
  const { spec } = parse(rulesSchema, await body(call));
  const resourceRules: unknown[] = [];
  for (const group of await call.services.registry.groups()) {
    for (const { version, resources } of group.versions) {
      for (const { served } of resources) {
        const verbs: string[] = [];
        for (const verb of ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]) {
          const asked = {
            verb,
            group: group.group,
            version,
            resource: served.plural,
            subresource: "",
            name: "",
            path: "",
          };
          const { decision } = await call.services.authorizer({
            ...asked,
            identity: call.identity,
            namespace: spec.namespace,
          });
          if (decision === "allow") verbs.push(verb);
        }
        if (verbs.length > 0) resourceRules.push({ verbs, apiGroups: [group.group], resources: [served.plural] });
      }
    }
  }
  const status = { resourceRules, nonResourceRules: [], incomplete: false };
  return { kind: "SelfSubjectRulesReview", apiVersion, metadata: {}, spec, status };
}

async function subjectReview(call: ApiCall, apiVersion: string): Promise<unknown> {
  const { name, groups, credential } = call.identity;
  const extra = {
    [`${EXTRA}credential-type`]: [credential.type],
    ...(credential.id === undefined ? {} : { [`${EXTRA}credential-id`]: [credential.id] }),
  };
  const userInfo = { username: name, groups, extra };
  return { kind: "SelfSubjectReview", apiVersion, metadata: {}, status: { userInfo } };
}

async function body(call: ApiCall): Promise<unknown> {
  return (await decodeBody(call.request, { limit: MAX_BODY_BYTES })).object;
}

function parse<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StatusError("BadRequest", `${issue?.path.join(".") ?? "body"}: ${issue?.message ?? "invalid"}`);
}
