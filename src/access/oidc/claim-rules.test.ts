import { describe, expect, it } from "vitest";
import { matchingRule } from "./claim-rules.ts";

/** As GitHub Actions issues them. @see GitHub Docs, "OpenID Connect reference" */
const GITHUB = {
  jti: "example-id",
  sub: "repo:octo-org/octo-repo:environment:prod",
  environment: "prod",
  aud: "entrepot",
  ref: "refs/heads/main",
  sha: "example-sha",
  repository: "octo-org/octo-repo",
  repository_owner: "octo-org",
  actor_id: "12",
  repository_visibility: "private",
  repository_id: "74",
  run_id: "example-run-id",
  run_attempt: "2",
  runner_environment: "github-hosted",
  actor: "octocat",
  workflow: "example-workflow",
  event_name: "workflow_dispatch",
  ref_type: "branch",
  job_workflow_ref: "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
  iss: "https://token.actions.githubusercontent.com",
};

/** As GitLab issues them. @see GitLab Docs, "OpenID Connect (OIDC) Authentication Using ID Tokens" */
const GITLAB = {
  namespace_id: "72",
  namespace_path: "my-group",
  project_id: "20",
  project_path: "my-group/my-project",
  user_login: "sample-user",
  user_identities: [
    { provider: "github", extern_uid: "2435223452345" },
    { provider: "bitbucket", extern_uid: "john.smith" },
  ],
  pipeline_source: "push",
  ref: "feature-branch-1",
  ref_type: "branch",
  ref_protected: "false",
  groups_direct: ["mygroup/mysubgroup", "myothergroup/myothersubgroup"],
  environment_protected: "false",
  runner_id: 1,
  sub: "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1",
};

/** Names that hold dots, and kinds of values. */
const ODD = {
  "https://example.com/groups": ["a", "b"],
  "kubernetes.io": { namespace: "default", serviceaccount: { name: "builder" } },
  admin: true,
  nothing: null,
  object: {},
};

const serviceAccount = { namespace: "team-a", name: "ci" };
const matches = (claims: Record<string, string>, token: Record<string, unknown>) =>
  matchingRule([{ claims, serviceAccount }], token) !== undefined;

describe("GitHub Actions", () => {
  it.each<[boolean, Record<string, string>]>([
    [true, { repository: "octo-org/octo-repo" }],
    [true, { repository: "octo-org/*", ref: "refs/heads/main" }],
    [true, { sub: "repo:octo-org/octo-repo:environment:prod" }],
    [true, { sub: "repo:octo-org/*:environment:*" }],
    [true, { environment: "prod", repository_id: "74" }],
    [true, { job_workflow_ref: "octo-org/octo-automation/.github/workflows/*@refs/heads/main" }],
    [false, { repository: "octo-org/octo-rep" }],
    [false, { repository: "octo-repo" }],
    [false, { repository: "OCTO-ORG/octo-repo" }],
    [false, { repository: "octo-org/octo-repo", ref: "refs/heads/develop" }],
    [false, { repository: "octo-org/octo-repo", absent: "*" }],
    [false, { sub: "repo:octo-org/octo-repo:ref:*" }],
    [false, { job_workflow_ref: "octo-org/octo-automation/xgithub/*" }],
    [false, {}],
  ])("%s for %j", (expected, claims) => {
    expect(matches(claims, GITHUB)).toBe(expected);
  });
});

describe("GitLab", () => {
  it.each<[boolean, Record<string, string>]>([
    [true, { project_path: "my-group/*", ref_protected: "false" }],
    [true, { groups_direct: "mygroup/*" }],
    [true, { groups_direct: "myothergroup/myothersubgroup" }],
    [true, { "user_identities.provider": "bitbucket" }],
    [true, { runner_id: "1" }],
    [false, { project_path: "my-group/*", ref_protected: "true" }],
    [false, { groups_direct: "*mygroup/mysubgroup,*" }],
    [false, { user_identities: "*" }],
    [false, { "groups_direct.0": "*" }],
    [false, { "groups_direct.length": "*" }],
  ])("%s for %j", (expected, claims) => {
    expect(matches(claims, GITLAB)).toBe(expected);
  });
});

describe("claims of other issuers", () => {
  it.each<[boolean, Record<string, string>]>([
    [true, { "https://example.com/groups": "b" }],
    [true, { "kubernetes.io.serviceaccount.name": "builder" }],
    [true, { admin: "true" }],
    [false, { admin: "1" }],
    [false, { nothing: "*" }],
    [false, { object: "*" }],
    [false, { "object.constructor.name": "*" }],
    [false, { toString: "*" }],
    [false, { "__proto__.x": "*" }],
  ])("%s for %j", (expected, claims) => {
    expect(matches(claims, ODD)).toBe(expected);
  });
});

it("the first rule that matches decides", () => {
  const rule = (ref: string, name: string) => ({ claims: { ref }, serviceAccount: { namespace: "n", name } });
  const rules = [rule("refs/tags/*", "release"), rule("refs/*", "build"), rule("*", "any")];
  expect(matchingRule(rules, GITHUB)?.serviceAccount.name).toBe("build");
  expect(matchingRule([], GITHUB)).toBeUndefined();
});
