import { describe, expect, it } from "vitest";
import { credentialOf } from "./credential-of.ts";
import { toSyncYaml } from "./export.ts";
import { parseSyncYaml } from "./parse.ts";
import { formatProblem, type SyncConfig, type TaskConfig } from "./sync-config.ts";

/** As the older tool's users have it, with each of its fields. */
const OLD = `
version: "1.0"
global:
  concurrency: 5
  retry:
    max_attempts: 7
    initial_interval: 2s
    max_interval: 60s
  timeout: 10m
registries:
  hub:
    url: registry-1.docker.io
    type: docker-hub
    username: \${HUB_USER}
    password: \${HUB_PASSWORD}
    ratelimit:
      qps: \${QPS:-2}
  my_own:
    url: http://127.0.0.1:5000
    insecure: \${INSECURE}
sync_rules:
  - name: nginx
    source: { registry: hub, repository: library/nginx }
    target: { registry: my_own, repository: mirror/nginx }
    tags:
      include: ["^1\\\\."]
      exclude: ["-rc"]
      latest: 5
    architectures: [amd64, arm/v7, windows/amd64]
    enabled: true
    cron_expression: "0 2 * * *"
    time_zone: Europe/Berlin
`;

/** Every field that a file can have, in the other case. */
const FULL = `
registries:
  a-b: { url: "https://one.example.com", token: t-1, concurrency: 7, rateLimit: { qps: 1.5, reserve: 10 } }
  a_b: { url: "https://two.example.com", username: u, password: 'p\${X}' }
syncRules:
  - name: all
    description: costs $\${5}
    enabled: false
    source: { registry: a-b, project: team, repositories: ["x*", y] }
    targets:
      - { registry: a_b, repository: "m/{{ .Name }}", tag: "{{ .Tag }}-copy" }
      - { registry: a_b }
    tags: { include: [v1], anchored: true, semver: ">=1.2.0", newest: { count: 3, by: created }, minimum_age: 24h }
    platforms: { mode: sparse, select: [{ architecture: arm64, variant: v8 }] }
    artifacts: { referrers: false, digestTags: false, foreign_layers: include, types: [x/y] }
    existing: skip
    prune: { enabled: true, maximumShare: 0.5, dry_run: false }
    interval: 6h
    retry: { attempts: 2, initial: 3s, maximum: 9s }
    concurrency: 9
    timeout: 1h
    notifications: { when: all, channels: [ops] }
`;

const ENV: Record<string, string> = {
  HUB_USER: "alice",
  HUB_PASSWORD: "a: b # {c}",
  INSECURE: "true",
  X: "12345",
  NUMBER: "12345",
};
const variables = (name: string) => ENV[name];

function parsed(text: string, more: Record<string, string> = {}): SyncConfig {
  const result = parseSyncYaml(text, (name) => more[name] ?? variables(name));
  if (!result.ok) throw new Error(result.error.map((problem) => formatProblem("f", problem)).join("\n"));
  return result.value.config;
}

function problems(text: string): string[] {
  const result = parseSyncYaml(text, variables);
  return result.ok ? [] : result.error.map((problem) => formatProblem("f", problem));
}

function onlyTask(config: SyncConfig): TaskConfig {
  const [task] = config.tasks;
  if (task === undefined) throw new Error("no task");
  return task;
}

/** A file with one rule; `rule` is YAML of more of its fields. */
const withRule = (rule: string) => `
registries: { a: { url: a.example.com }, b: { url: b.example.com } }
sync_rules:
  - name: one
    enabled: true
    source: { registry: a, repository: x }
    target: { registry: b }
    ${rule}
`;

describe("parseSyncYaml", () => {
  it("reads each field of an older file", () => {
    const config = parsed(OLD);
    expect(config.registries).toEqual([
      {
        name: "hub",
        url: "registry-1.docker.io",
        type: "docker-hub",
        username: "alice",
        password: "a: b # {c}",
        insecure: false,
        rateLimit: { qps: 2, reserve: 0 },
        concurrency: 3,
      },
      {
        name: "my_own",
        url: "http://127.0.0.1:5000",
        type: "generic",
        insecure: true,
        rateLimit: { qps: 0, reserve: 0 },
        concurrency: 3,
      },
    ]);
    expect(onlyTask(config)).toMatchObject({
      name: "nginx",
      timeout: "10m",
      spec: {
        source: { registry: "hub", repository: "library/nginx" },
        targets: [{ registry: "my_own", repository: "mirror/nginx" }],
        tags: { include: ["^1\\."], exclude: ["-rc"], newest: { count: 5, by: "version" }, anchored: false },
        platforms: {
          mode: "rewrite",
          select: [
            { os: "linux", architecture: "amd64" },
            { os: "linux", architecture: "arm", variant: "v7" },
            { os: "windows", architecture: "amd64" },
          ],
        },
        schedule: { cron: "0 2 * * *", timeZone: "Europe/Berlin" },
        retry: { attempts: 7, initial: "2s", maximum: "60s" },
        concurrency: 5,
        enabled: true,
      },
    });
  });

  it("takes names in both cases, and fields that are new", () => {
    expect(onlyTask(parsed(FULL))).toEqual({
      name: "all",
      description: "costs ${5}",
      timeout: "1h",
      spec: {
        source: { registry: "a-b", project: "team", repositories: ["x*", "y"] },
        targets: [{ registry: "a_b", repository: "m/{{ .Name }}", tag: "{{ .Tag }}-copy" }, { registry: "a_b" }],
        tags: {
          include: ["v1"],
          exclude: [],
          anchored: true,
          semver: ">=1.2.0",
          newest: { count: 3, by: "created" },
          minimumAge: "24h",
        },
        platforms: { mode: "sparse", select: [{ os: "linux", architecture: "arm64", variant: "v8" }] },
        artifacts: { referrers: false, digestTags: false, foreignLayers: "include", types: ["x/y"] },
        existing: "skip",
        prune: { enabled: true, maximumShare: 0.5, dryRun: false },
        schedule: { interval: "6h" },
        retry: { attempts: 2, initial: "3s", maximum: "9s" },
        concurrency: 9,
        enabled: false,
        notifications: { when: "all", channels: ["ops"] },
      },
    });
  });

  it.each([
    ["a text where a text is wanted", "url: x.example.com, username: u, password: '${NUMBER}'", { password: "12345" }],
    ["a number where a number is wanted", "url: x.example.com, concurrency: '${C}'", { concurrency: 4 }],
    ["a boolean where that is wanted", "url: x.example.com, insecure: '${B}'", { insecure: true }],
  ])("takes a variable's value as %s", (_case, fields, expected) => {
    const text = withRule("").replace("registries: {", () => `registries: { x: { ${fields} },`);
    expect(parsed(text, { C: "4", B: "true" }).registries[0]).toMatchObject(expected);
  });

  it.each<[string, string, string[]]>([
    ["no YAML", "a: [1", ["f:1:6: "]],
    ["a key twice", "a: 1\na: 2", ['f:2:1: the key "a" is there twice']],
    ["a variable without quotes in a flow map", "a: { b: ${X}, c: d }", ["f:1:10: a variable has to be in quotes"]],
    ["nothing at all", "", ["f:1:1: expected object"]],
    ["no rules", "registries: {}", ["f:1:1: sync_rules: is needed"]],
    [
      "an unset variable",
      withRule('description: "x ${NONE}"'),
      ["f:8:18: sync_rules[0].description: the variable NONE is not set"],
    ],
    ["an unknown field", withRule("tag: {}"), ["f:8:5: sync_rules[0].tag: is not a field that is known here"]],
    [
      "an unknown field inside",
      withRule("tags: { includes: [] }"),
      ["f:8:13: sync_rules[0].tags.includes: is not a field"],
    ],
    ["a bad pattern", withRule("tags: { include: [v1, '('] }"), ["f:8:27: sync_rules[0].tags.include[1]: "]],
    ["a bad cron expression", withRule("cron_expression: 61 * * * *"), ["f:8:5: sync_rules[0].cron_expression: "]],
    [
      "a bad time zone",
      withRule("cronExpression: 0 2 * * *\n    time_zone: Mars/One"),
      ["f:9:5: sync_rules[0].time_zone: "],
    ],
    [
      "a time zone alone",
      withRule("time_zone: UTC"),
      ["cron_expression: is needed", "f:8:5: sync_rules[0].time_zone: may"],
    ],
    [
      "two schedules",
      withRule("interval: 1h\n    schedule: { interval: 1h }"),
      ["f:9:5: sync_rules[0].schedule: may not"],
    ],
    ["both targets", withRule("targets: [{ registry: b }]"), ["f:8:5: sync_rules[0].targets: may not"]],
    [
      "both ways to say newest",
      withRule("tags: { latest: 1, newest: { count: 1 } }"),
      ["f:8:13: sync_rules[0].tags.latest: may not"],
    ],
    [
      "both ways to say platforms",
      withRule("architectures: [amd64]\n    platforms: { mode: all }"),
      ["f:8:5: sync_rules[0].architectures: may not"],
    ],
    [
      "a field in both cases",
      withRule("tags: { minimumAge: 1h, minimum_age: 1h }"),
      ["f:8:13: sync_rules[0].tags.minimumAge: is written twice"],
    ],
    ["a short interval", withRule("interval: 5s"), ["f:8:5: sync_rules[0].interval: must be at least 1m"]],
    [
      "an unknown registry",
      withRule("").replace("registry: a,", "registry: c,"),
      ["f:6:15: sync_rules[0].source.registry: there is no registry c"],
    ],
    [
      "a copy onto itself",
      withRule("").replace("{ registry: b }", "{ registry: a }"),
      ["f:7:5: sync_rules[0].target: is where"],
    ],
    [
      "a copy into what is read",
      withRule("")
        .replace("{ url: b.example.com }", "{ url: https://a.example.com/v2/ }")
        .replace("repository: x }", 'repositories: ["x/*"] }')
        .replace("{ registry: b }", '{ registry: b, repository: "x/{{ .Base }}-copy" }'),
      ["f:7:5: sync_rules[0].target: is where the images come from: each run"],
    ],
    [
      "a circle of two rules",
      withRule("").concat("  - { name: back, source: { registry: b, project: x }, target: { registry: a } }\n"),
      [],
    ],
    [
      "a circle of two rules that meet",
      withRule("").concat("  - { name: back, source: { registry: b, repository: x }, target: { registry: a } }\n"),
      ["sync_rules[1].target: is where the images come from, by way of one"],
    ],
    [
      "credentials in a URL",
      withRule("").replace("a.example.com", '"https://u:p@a.example.com"'),
      ["f:2:20: registries.a.url: may not hold credentials"],
    ],
    [
      "a type nobody knows",
      withRule("").replace("{ url: a.example.com }", "{ url: a.example.com, type: x }"),
      ["f:2:40: registries.a.type: "],
    ],
    [
      "a password alone",
      withRule("").replace("{ url: a.example.com }", "{ url: a.example.com, password: x }"),
      ["f:2:15: registries.a.username: is needed"],
    ],
    ["an anchor of nothing", "a: *b", ['f:1:4: there is no anchor "b"']],
  ])("says where the problem is: %s", (_case, text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(expected.length);
    expected.forEach((start, index) => expect(found[index]).toContain(start));
  });

  it("tells all problems at once, in order", () => {
    const found = problems(withRule("existing: no\n    retry: { attempts: 0 }\n    concurrency: x"));
    expect(found.map((line) => line.split(":")[1])).toEqual(["8", "9", "10"]);
  });

  it("follows anchors and merge keys", () => {
    const text = withRule("tags: &t { include: [v1] }").concat(
      "  - name: two\n    source: { registry: a, repository: y }\n    target: { registry: b }\n    tags: *t\n",
    );
    expect(parsed(text).tasks[1]?.spec.tags.include).toEqual(["v1"]);
  });

  it("warns of what meant something else once", () => {
    const text = withRule("tags: { latest: 3 }").replace("    enabled: true\n", "");
    const result = parseSyncYaml(text, variables);
    expect(result.ok && result.value.warnings.map(({ path }) => path)).toEqual([
      "sync_rules[0].tags.latest",
      "sync_rules[0].enabled",
    ]);
  });

  it.each([
    ["a user without a password", "url: x.example.com, username: u", "username: is not used"],
    ["plain HTTP that nobody wrote", "url: x.example.com, insecure: true", "url: is taken for http://"],
  ])("warns of %s", (_case, fields, warning) => {
    const result = parseSyncYaml(
      withRule("").replace("registries: {", () => `registries: { x: { ${fields} },`),
      variables,
    );
    expect(result.ok && result.value.warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      expect.stringContaining(`registries.x.${warning}`),
    ]);
  });

  it.each([
    ["yes", true],
    ["Off", false],
  ])("takes %s for what YAML once took it for", (word, enabled) => {
    expect(parsed(withRule("").replace("enabled: true", `enabled: ${word}`)).tasks[0]?.spec.enabled).toBe(enabled);
  });

  it("takes an empty credential for none, as older files have it", () => {
    const fields = "url: x.example.com, username: '', password: '', token: ''";
    const text = withRule("").replace("registries: {", () => `registries: { x: { ${fields} },`);
    const [registry] = parsed(text).registries;
    expect(registry && credentialOf(registry)).toEqual({ kind: "anonymous" });
  });
});

describe("toSyncYaml", () => {
  it.each([
    ["an older file", OLD, { HUB_PASSWORD: "a: b # {c}" }],
    ["a full one", FULL, { A_B_TOKEN: "t-1", A_B_2_PASSWORD: "p12345" }],
    ["a short one", withRule(""), {}],
  ])("writes what reads back as the same: %s", (_case, text, secrets) => {
    const config = parsed(text);
    expect(parsed(toSyncYaml(config), secrets)).toEqual(config);
  });

  it("holds no secret", () => {
    const text = toSyncYaml(parsed(FULL));
    expect(text).toContain("${A_B_2_PASSWORD}");
    expect(text).not.toMatch(/t-1|p12345/);
  });
});
