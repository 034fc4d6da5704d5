import { describe, expect, it } from "vitest";
import * as z from "zod";
import { mirrorRulesSchema, mirrorTaskShape } from "./mirror-rules.ts";

const taskSchema = z.object(mirrorTaskShape);
const source = { registry: "hub", repository: "library/nginx" };
const targets = [{ registry: "local" }];

function problems(task: object): readonly (readonly [string, string])[] {
  const parsed = taskSchema.safeParse({ source, targets, ...task });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => [path.join("."), message] as const);
}

describe("the rules of a task", () => {
  it("have defaults that are safe", () => {
    expect(mirrorRulesSchema.parse({})).toEqual({
      tags: { include: [], exclude: [], anchored: false },
      platforms: { mode: "all", select: [] },
      artifacts: { referrers: true, digestTags: true, foreignLayers: "skip", types: [] },
      existing: "overwrite",
      prune: { enabled: false, maximumShare: 0.2, dryRun: true },
      retry: { attempts: 5, initial: "1s", maximum: "30s" },
      concurrency: 3,
      enabled: true,
    });
  });

  it("take a whole task and leave it as it is written", () => {
    const task = {
      source: { registry: "hub", project: "library", repositories: ["nginx", "redis*"] },
      targets: [{ registry: "local", repository: "mirror/{{ .Name }}", tag: "{{ .Tag }}" }],
      tags: {
        include: [String.raw`^v1\.`],
        exclude: ["-rc"],
        anchored: false,
        semver: ">=1.2.0 <3",
        newest: { count: 5, by: "version" },
        minimumAge: "24h",
      },
      platforms: { mode: "rewrite", select: [{ os: "linux", architecture: "arm64", variant: "v8" }] },
      artifacts: { referrers: true, digestTags: true, foreignLayers: "skip", types: [] },
      existing: "skip",
      prune: { enabled: true, maximumShare: 0.1, dryRun: false },
      schedule: { cron: "0 2 * * *", timeZone: "Europe/Berlin" },
      retry: { attempts: 5, initial: "1s", maximum: "30s" },
      concurrency: 3,
      enabled: true,
      notifications: { when: "failed", channels: ["ops"] },
    };
    expect(taskSchema.parse(task)).toEqual(task);
  });

  it.each<[object, string, string]>([
    [{ source: { registry: "hub" } }, "source.repository", "is needed, or project"],
    [{ source: { ...source, project: "library" } }, "source.project", "together with repository"],
    [{ source: { ...source, repositories: ["a"] } }, "source.repositories", "together with repository"],
    [{ source: { registry: "hub", repository: "a*" } }, "source.repository", "must be the name of a repository"],
    [{ source: { registry: "hub", repositories: ["/a"] } }, "source.repositories.0", "or a glob"],
    [{ source: { registry: "hub", repositories: ["a//b"] } }, "source.repositories.0", "or a glob"],
    [{ source: { registry: "hub", repositories: ["a/../b"] } }, "source.repositories.0", "or a glob"],
    [{ source: { registry: "hub", repositories: ["a/"] } }, "source.repositories.0", "or a glob"],
    [{ source: { registry: "hub", project: "a?b=c" } }, "source.project", "must be the name of a repository"],
    [{ targets: [{ registry: "x", repository: "{{ .Nope }}" }] }, "targets.0.repository", "has {{ .Nope }}"],
    [{ targets: [{ registry: "x", tag: "a/b" }] }, "targets.0.tag", "a tag is"],
    [{ targets: [] }, "targets", ""],
    [{ tags: { include: ["a", "("] } }, "tags.include.1", "missing closing )"],
    [{ tags: { semver: "latest" } }, "tags.semver", "no comparison"],
    [{ tags: { newest: { count: 0 } } }, "tags.newest.count", ""],
    [{ tags: { minimumAge: "1 day" } }, "tags.minimumAge", "must be a duration"],
    [{ platforms: { mode: "sparse" } }, "platforms.select", "is needed in mode sparse"],
    [{ platforms: { select: [{ architecture: "arm" }] } }, "platforms.select", "no meaning in mode all"],
    [
      { platforms: { mode: "single", select: [{ architecture: "arm" }, { architecture: "amd64" }] } },
      "platforms.select",
      "exactly one",
    ],
    [{ prune: { maximumShare: 20 } }, "prune.maximumShare", ""],
    [{ schedule: {} }, "schedule.cron", "is needed, or interval"],
    [{ schedule: { cron: "0 0 2 * * *" } }, "schedule.cron", "five fields"],
    [{ schedule: { cron: "0 2 * * *", interval: "6h" } }, "schedule.interval", "together with cron"],
    [{ schedule: { cron: "0 2 * * *", timeZone: "Mars" } }, "schedule.timeZone", "time zone"],
    [{ schedule: { interval: "6h", timeZone: "UTC" } }, "schedule.timeZone", "together with cron"],
    [{ schedule: { interval: "30s" } }, "schedule.interval", "at least 1m"],
    [{ retry: { initial: "soon" } }, "retry.initial", "must be a duration"],
  ])("refuse %j", (task, field, message) => {
    expect(problems(task)).toEqual([[field, expect.stringContaining(message)]]);
  });

  it("describe every field", () => {
    const check = (node: unknown, path: string) => {
      if (typeof node !== "object" || node === null) return;
      if ("properties" in node) {
        for (const [name, child] of Object.entries(node.properties ?? {})) {
          expect([`${path}.${name}`, child]).toEqual([
            `${path}.${name}`,
            expect.objectContaining({ description: expect.stringMatching(/\.$/) }),
          ]);
          check(child, `${path}.${name}`);
        }
      }
      if ("items" in node) check(node.items, `${path}[]`);
    };
    check(z.toJSONSchema(taskSchema, { io: "input", target: "openapi-3.0" }), "");
  });
});
