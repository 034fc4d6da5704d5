import { describe, expect, it } from "vitest";
import { BUILT_IN_ROLES } from "./built-in-roles.ts";
import { compilePolicy } from "./policy-evaluation.ts";

const CONTENT = "content.entrepot.dev";
const IAM = "iam.entrepot.dev";

const ROLES = ["viewer", "puller", "pusher", "editor", "admin"] as const;

function may(role: string, verb: string, group: string, path: string): boolean {
  const rules = BUILT_IN_ROLES.get(role)?.rules ?? [];
  const [resource = "", subresource = ""] = path.split("/");
  const name = verb === "list" || verb === "create" ? "" : "team-a/x";
  return compilePolicy([{ rules, source: "test" }], new Set()).decide({
    verb,
    group,
    resource,
    subresource,
    namespace: "team-a",
    name,
  }).allowed;
}

describe("built-in roles", () => {
  it.each<[verb: string, group: string, path: string, readonly (typeof ROLES)[number][]]>([
    ["pull", CONTENT, "repositories", ["viewer", "puller", "pusher", "editor", "admin"]],
    ["push", CONTENT, "repositories", ["pusher", "editor", "admin"]],
    ["delete", CONTENT, "repositories", ["editor", "admin"]],
    ["get", CONTENT, "tags", ["viewer", "puller", "pusher", "editor", "admin"]],
    ["delete", CONTENT, "tags", ["editor", "admin"]],
    ["list", "", "namespaces", ["viewer", "editor", "admin"]],
    ["create", "", "namespaces", ["editor", "admin"]],
    ["get", "secret.entrepot.dev", "securevalues", ["editor", "admin"]],
    ["get", "secret.entrepot.dev", "securevalues/audit", ["editor", "admin"]],
    ["get", "datasource.entrepot.dev", "giteas/health", ["viewer", "editor", "admin"]],
    ["get", "datasource.entrepot.dev", "giteas/proxy", ["editor", "admin"]],
    ["get", "own.example.dev", "things", ["viewer", "editor", "admin"]],
    ["update", "own.example.dev", "things", ["editor", "admin"]],
    ["get", IAM, "users", ["viewer", "editor", "admin"]],
    ["update", IAM, "users", ["admin"]],
    ["create", IAM, "rolebindings", ["admin"]],
    ["get", IAM, "serviceaccounts/tokens", ["admin"]],
    ["create", IAM, "serviceaccounts/tokens", ["admin"]],
    ["connect", IAM, "display", ["viewer", "editor", "admin"]],
    ["escalate", IAM, "roles", ["admin"]],
    ["bind", IAM, "clusterroles", ["admin"]],
    ["bind", "own.example.dev", "things", ["admin"]],
    ["list", "audit.entrepot.dev", "auditevents", ["admin"]],
  ])("%s %s/%s: %j", (verb, group, path, allowed) => {
    expect(ROLES.filter((role) => may(role, verb, group, path))).toEqual(allowed);
  });
});
