import { describe, expect, it } from "vitest";
import { type Identity, systemIdentity } from "../access/index.ts";
import {
  type AuthorizationAttributes,
  type Authorizer,
  authorizerChain,
  roleAuthorizer,
  scopeAuthorizer,
  systemAuthorizer,
} from "./authorizer.ts";

const ANN: Identity = { ...systemIdentity("ann"), groups: ["system:authenticated"] };
const SCOPE = { scope: [{ type: "repository", name: "a", actions: ["pull"] }] };

function about(given: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes {
  const request = {
    verb: "get",
    group: "g.example.dev",
    resource: "tasks",
    subresource: "",
    namespace: "n",
    name: "x",
  };
  return { identity: ANN, version: "v1", path: "", ...request, ...given };
}

const allow: Authorizer = () => ({ decision: "allow", reason: "group" });
const roles = (allowed: boolean) =>
  roleAuthorizer({ decide: () => ({ allowed, reason: allowed ? "ClusterRole/x" : "no-role" }) });

describe("the chain", () => {
  const chain = (group: Authorizer, allowed: boolean) =>
    authorizerChain([systemAuthorizer, scopeAuthorizer, group, roles(allowed)]);
  const silent: Authorizer = () => ({ decision: "no-opinion" });

  it.each([
    ["an administrator", systemIdentity("root"), silent, false, { decision: "allow", reason: "system:masters" }],
    ["a group's authorizer", ANN, allow, false, { decision: "allow", reason: "group" }],
    ["a role", ANN, silent, true, { decision: "allow", reason: "ClusterRole/x" }],
    ["nothing", ANN, silent, false, { decision: "no-opinion", reason: "no-role" }],
  ] as const)("is decided by %s", async (_, identity, group, allowed, decision) => {
    expect(await chain(group, allowed)(about({ identity }))).toEqual(decision);
  });

  it.each([ANN, systemIdentity("root")])("a limited credential gets no more than it is good for", async (identity) => {
    const limited = { ...identity, ...SCOPE };
    expect(await chain(allow, true)(about({ identity: limited }))).toEqual({ decision: "deny", reason: "scope" });
  });

  it.each([
    ["get", "no-opinion"],
    ["list", "no-opinion"],
    ["delete", "deny"],
    ["watch", "deny"],
    ["connect", "deny"],
  ])("a limited credential and what is in the registry: %s", async (verb, decision) => {
    const content = about({ identity: { ...ANN, ...SCOPE }, group: "content.entrepot.dev", verb });
    expect(await scopeAuthorizer(content)).toMatchObject({ decision });
  });

  it("asks roles for what is wanted, and no more", async () => {
    const asked: unknown[] = [];
    await roleAuthorizer({
      decide(_identity, request) {
        asked.push(request);
        return { allowed: true, reason: "" };
      },
    })(about({ subresource: "status" }));
    expect(asked).toMatchObject([{ verb: "get", resource: "tasks", subresource: "status", namespace: "n", name: "x" }]);
  });
});
