import { describe, expect, it } from "vitest";
import type { AccessRequest, Grant, Rule } from "./policy.ts";
import { compilePolicy, mastersPolicy } from "./policy-evaluation.ts";

const CONTENT = "content.entrepot.dev";
const NONE: ReadonlySet<string> = new Set();

function rule(apiGroups: string, resources: string, verbs: string, resourceNames?: string): Rule {
  const list = (text: string) => text.split(",").map((each) => each.trim());
  return {
    apiGroups: list(apiGroups),
    resources: list(resources),
    verbs: list(verbs),
    ...(resourceNames === undefined ? {} : { resourceNames: list(resourceNames) }),
  };
}

function grant(given: Rule | readonly Rule[], namespace?: string): Grant {
  const rules = "verbs" in given ? [given] : given;
  return { rules, source: "test", ...(namespace === undefined ? {} : { namespace }) };
}

/** `verb group resource[/subresource] namespace name`, with `-` for what is not named. */
function request(text: string): AccessRequest {
  const [verb = "", group = "", path = "", namespace = "", name = ""] = text
    .split(" ")
    .map((part) => (part === "-" ? "" : part));
  const [resource = "", subresource = ""] = path.split("/");
  return { verb, group, resource, subresource, namespace, name };
}

function pull(name: string): AccessRequest {
  const slash = name.indexOf("/");
  const namespace = slash === -1 ? "default" : name.slice(0, slash);
  return { verb: "pull", group: CONTENT, resource: "repositories", subresource: "", namespace, name };
}

describe("a rule", () => {
  it.each<[string, Rule, string, boolean]>([
    ["its verb, group and resource", rule("g", "r", "get"), "get g r n x", true],
    ["no other verb", rule("g", "r", "get"), "update g r n x", false],
    ["no other group", rule("g", "r", "get"), "get h r n x", false],
    ["no other resource", rule("g", "r", "get"), "get g s n x", false],
    ["no request without a resource", rule("*", "*", "*"), "get - - - -", false],
    ["the core group by its empty name", rule("", "r", "get"), "get - r n x", true],
    ["all by stars", rule("*", "*", "*"), "anything g r/s n x", true],
    ["no subresource by the plural", rule("g", "r", "get"), "get g r/s n x", false],
    ["a subresource by its name", rule("g", "r/s", "get"), "get g r/s n x", true],
    ["the object not by its subresource", rule("g", "r/s", "get"), "get g r n x", false],
    ["a subresource of all", rule("g", "*/s", "get"), "get g r/s n x", true],
    ["no other subresource", rule("g", "*/s", "get"), "get g r/t n x", false],
    ["nothing of a group taken out", rule("*,!g", "*", "*"), "get g r n x", false],
    ["the other groups", rule("*,!g", "*", "*"), "get h r n x", true],
    ["nothing taken out, whatever the order", rule("!g,*", "*", "*"), "get g r n x", false],
    ["nothing of a resource taken out", rule("*", "*,!r", "*"), "get g r n x", false],
    ["nothing below a resource taken out", rule("*", "*,!r", "*"), "get g r/s n x", false],
    ["the object whose subresource is taken out", rule("*", "*,!*/s", "*"), "get g r n x", true],
    ["nothing of a subresource taken out", rule("*", "*,!*/s", "*"), "get g r/s n x", false],
    ["nothing by lists that only take out", rule("!g", "!r", "*"), "get h s n x", false],
    ["a name", rule("g", "r", "get", "x"), "get g r n x", true],
    ["no other name", rule("g", "r", "get", "x"), "get g r n y", false],
    ["a name by its namespace", rule("g", "r", "get", "n/x"), "get g r n x", true],
    ["no list by a name", rule("g", "r", "list", "x"), "list g r n -", false],
    ["no list by a pattern", rule("g", "r", "list", "x*"), "list g r n -", false],
    ["a list by the name of all", rule("g", "r", "list", "x,*"), "list g r n -", true],
    ["no creating by a name", rule("g", "r", "create", "x"), "create g r n -", false],
    ["creating below a named object", rule("g", "r/s", "create", "x"), "create g r/s n x", true],
    ["creating below no other object", rule("g", "r/s", "create", "x"), "create g r/s n y", false],
    ["no verb but the one that is written so", rule("g", "r", "GET"), "get g r n x", false],
  ])("allows %s", (_, given, text, allowed) => {
    expect(compilePolicy([grant(given)], NONE).decide(request(text)).allowed).toBe(allowed);
  });
});

describe("names of repositories", () => {
  const pulling = (names: string) => rule(CONTENT, "repositories", "pull", names);

  it.each<[string, string, string, boolean]>([
    ["everywhere", "team-a/*", "team-a/app", true],
    ["everywhere", "team-a/*", "team-a/sub/app", true],
    ["everywhere", "team-a/*", "team-ab/app", false],
    ["everywhere", "team-a/*", "team-b/app", false],
    // A path below another namespace that looks like the pattern is not the pattern's.
    ["everywhere", "team-a/*", "team-b/team-a/app", false],
    ["everywhere", "team-a/team-a/*", "team-a/app", false],
    ["everywhere", "*", "team-b/app", true],
    ["everywhere", "app", "app", true],
    ["everywhere", "default/app", "app", true],
    ["everywhere", "app", "team-a/app", false],
    ["team-a", "app", "team-a/app", true],
    ["team-a", "*", "team-a/sub/app", true],
    ["team-a", "team-a/*", "team-a/app", true],
    ["team-a", "team-a/x", "team-a/team-a/x", false],
    ["team-a", "*", "team-b/app", false],
    ["team-a", "team-b/*", "team-b/app", false],
    ["team-a", "sub/*", "team-a/sub/app", true],
    ["default", "app", "app", true],
  ])("held %s: %s for %s is %s", (where, names, name, allowed) => {
    const held = grant(pulling(names), where === "everywhere" ? undefined : where);
    expect(compilePolicy([held], NONE).decide(pull(name)).allowed).toBe(allowed);
  });
});

describe("a grant", () => {
  const all = rule("*", "*", "*");

  it("holds in its namespace only", () => {
    const policy = compilePolicy([grant(all, "team-a")], NONE);
    expect(policy.decide(pull("team-a/app")).allowed).toBe(true);
    expect(policy.decide(pull("team-b/app")).allowed).toBe(false);
    expect(policy.decide(request("get iam.entrepot.dev users - x")).allowed).toBe(false);
    expect(policy.decide(request("delete - namespaces team-a team-a")).allowed).toBe(true);
    expect(policy.decide(request("delete - namespaces team-b team-b")).allowed).toBe(false);
  });

  it("of no namespace's name holds nowhere", () => {
    expect(compilePolicy([grant(all, "")], NONE).decide(request("get g r - x")).allowed).toBe(false);
  });

  it("is named in the decision", () => {
    const policy = compilePolicy([{ ...grant(all), source: "ClusterRoleBinding/ops ClusterRole/admin" }], NONE);
    expect(policy.decide(pull("a/b")).reason).toBe("role ClusterRoleBinding/ops ClusterRole/admin");
    expect(compilePolicy([], NONE).decide(pull("a/b"))).toEqual({ allowed: false, reason: "no-rule" });
  });
});

describe("a public namespace", () => {
  const policy = compilePolicy([], new Set(["open"]));

  it.each([
    [`pull ${CONTENT} repositories open open/app`, true],
    [`pull ${CONTENT} repositories closed closed/app`, false],
    [`push ${CONTENT} repositories open open/app`, false],
    [`delete ${CONTENT} repositories open open/app`, false],
    [`get ${CONTENT} tags open app:v1`, true],
    [`list ${CONTENT} manifests open -`, true],
    [`list ${CONTENT} manifests - -`, false],
    [`watch ${CONTENT} repositories open -`, false],
    [`pull ${CONTENT} tags open app`, false],
    [`get ${CONTENT} repositories/restore open app`, false],
    ["get secret.entrepot.dev securevalues open x", false],
    ["get - namespaces open open", false],
  ])("for everyone: %s is %s", (text, allowed) => {
    expect(policy.decide(request(text)).allowed).toBe(allowed);
  });

  it("is where a pull may be somewhere", () => {
    const about = { verb: "pull", group: CONTENT, resource: "repositories" };
    expect(policy.mayIn(about)).toBe(true);
    expect(policy.mayIn(about, "open")).toBe(true);
    expect(policy.mayIn(about, "closed")).toBe(false);
    expect(compilePolicy([], NONE).mayIn(about)).toBe(false);
  });
});

describe("whether a verb is allowed for some object", () => {
  const about = { verb: "pull", group: CONTENT, resource: "repositories" };
  const pulling = (names?: string) => rule(CONTENT, "repositories", "pull", names);

  it.each<[string, Grant, string | undefined, boolean]>([
    ["a name anywhere", grant(pulling("team-a/*")), undefined, true],
    ["a name in its namespace", grant(pulling("team-a/*")), "team-a", true],
    ["a name in another namespace", grant(pulling("team-a/*")), "team-b", false],
    ["a name of no namespace in default", grant(pulling("app")), "default", true],
    ["a name of no namespace elsewhere", grant(pulling("app")), "team-a", false],
    ["a grant of a namespace, anywhere", grant(pulling("app"), "team-a"), undefined, true],
    ["a grant of a namespace in it", grant(pulling("app"), "team-a"), "team-a", true],
    ["a grant of a namespace in another", grant(pulling(), "team-a"), "team-b", false],
    ["another verb", grant(rule(CONTENT, "repositories", "push")), undefined, false],
  ])("%s", (_, held, namespace, expected) => {
    expect(compilePolicy([held], NONE).mayIn(about, namespace)).toBe(expected);
  });
});

it("masters may do everything", () => {
  expect(mastersPolicy.decide(request("anything g r n x")).allowed).toBe(true);
  expect(mastersPolicy.mayIn({ verb: "v", group: "g", resource: "r" })).toBe(true);
  expect(mastersPolicy.uncovered([rule("*", "*", "*")])).toEqual([]);
});

it("decides fast among many grants", () => {
  const grants = Array.from({ length: 20_000 }, (_each, index) =>
    grant(rule(CONTENT, "repositories", "pull"), `n${index}`),
  );
  const policy = compilePolicy(grants, NONE);
  const start = performance.now();
  for (let index = 0; index < 20_000; index += 1) policy.decide(pull("n19999/app"));
  expect(performance.now() - start).toBeLessThan(5000);
});
