import { Registry } from "../conformance/registry-client.ts";
import { pushImage } from "../conformance/steps.ts";
import { type Answer, basic, body, header, json, type RequestPart, text } from "../conformance/registry-client.ts";
import type { Server } from "./server.ts";

/** Passwords of tests. Each is of its own, so that a search for one in files finds nothing else. */
export const PASSWORDS = {
  admin: "correct horse battery",
  alice: "staple of alice, 7 words long",
  bob: "ladder of bob, rather long too",
} as const;

export const ADMIN = basic("admin", PASSWORDS.admin);

export const IAM = "/apis/iam.entrepot.dev/v1";

const API_VERSION = "iam.entrepot.dev/v1";

/** An API key as it was answered, the only time that it was. */
export interface IssuedToken {
  readonly id: string;
  readonly token: string;
}

/** A server with people, a robot, roles and images in it, and clients of it. */
export interface World {
  /** A client without a credential. */
  readonly registry: Registry;
  /** The key of the robot `ci` of `team-a`, which may push to all of `team-a`. */
  readonly robot: IssuedToken;
  /** Sends a request whose answer must be a success. @throws with the answer, if it is not */
  expectOk(method: string, target: string, ...parts: RequestPart[]): Promise<Answer>;
  /** Makes another key of the robot. */
  issueKey(): Promise<IssuedToken>;
}

/** A client of a server. */
export function clientOf({ url }: Pick<Server, "url">): Registry {
  const registry = new Registry();
  registry.connect(url);
  return registry;
}

/** A body of JSON. */
export function jsonBody(value: unknown): RequestPart {
  return body(Buffer.from(JSON.stringify(value)), "application/json");
}

/** A body as forms send it. */
export function formBody(fields: Readonly<Record<string, string>> | URLSearchParams): RequestPart {
  return body(Buffer.from(new URLSearchParams(fields).toString()), "application/x-www-form-urlencoded");
}

/** A token of whatever kind as Bearer. */
export function bearer(token: string): RequestPart {
  return header("authorization", `Bearer ${token}`);
}

/**
 * Makes, over HTTP as an administrator would: the private namespaces `team-a` and `team-b` and the public `open`, the
 * user `alice` who may pull `team-a/app` and nothing else, the user `bob` whose team `builders` may push to `team-a`, and
 * the robot. Each namespace holds the image `<namespace>/app:v1`, and `team-a/other:v1` is beside it.
 */
export async function makeWorld(server: Pick<Server, "url">): Promise<World> {
  const registry = clientOf(server);
  const expectOk: World["expectOk"] = async (method, target, ...parts) => {
    const answer = await registry.send(method, target, ADMIN, ...parts);
    if (answer.status < 300) return answer;
    throw new Error(`${answer.request}: ${answer.status} ${text(answer)}`);
  };
  const create = async (kind: string, path: string, name: string, spec: object): Promise<void> => {
    const isNamespace = kind === "Namespace";
    const object = { apiVersion: isNamespace ? "v1" : API_VERSION, kind, metadata: { name }, spec };
    await expectOk("POST", isNamespace ? "/api/v1/namespaces" : `${IAM}/${path}`, jsonBody(object));
  };
  const issueKey = async (): Promise<IssuedToken> =>
    json(
      await expectOk("POST", `${IAM}/namespaces/team-a/serviceaccounts/ci/tokens`, jsonBody({ name: "test" })),
    ) as IssuedToken;

  await create("Namespace", "", "team-a", {});
  await create("Namespace", "", "team-b", {});
  await create("Namespace", "", "open", { visibility: "public" });
  await create("User", "users", "alice", { password: PASSWORDS.alice });
  await create("User", "users", "bob", { password: PASSWORDS.bob });
  await create("Team", "teams", "builders", { members: [{ kind: "User", name: "bob" }] });
  await create("ServiceAccount", "namespaces/team-a/serviceaccounts", "ci", {});
  await create("Role", "namespaces/team-a/roles", "app-puller", {
    rules: [
      { apiGroups: ["content.entrepot.dev"], resources: ["repositories"], resourceNames: ["app"], verbs: ["pull"] },
    ],
  });
  await create("RoleBinding", "namespaces/team-a/rolebindings", "app-pullers", {
    roleRef: { kind: "Role", name: "app-puller" },
    subjects: [{ kind: "User", name: "alice" }],
  });
  await create("RoleBinding", "namespaces/team-a/rolebindings", "pushers", {
    roleRef: { kind: "ClusterRole", name: "pusher" },
    subjects: [
      { kind: "ServiceAccount", name: "ci", namespace: "team-a" },
      { kind: "Team", name: "builders" },
    ],
  });
  const admin = registry.with(ADMIN);
  for (const name of ["team-a/app", "team-a/other", "team-b/app", "open/app"]) await pushImage(admin.named(name), "v1");
  return { registry, robot: await issueKey(), expectOk, issueKey };
}
