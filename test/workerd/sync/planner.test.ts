import { describe, expect, it, vi } from "vitest";
import { fakePorts } from "../../../src/mirror/run/run.fixture.ts";
import { type MirrorTask, RegistryError, type RunSummary, runTask } from "../../../src/mirror/index.ts";
import { type Preview, SyncRunner, type StoredItem, type SyncTask } from "../../../src/sync/index.ts";
import { CallMeter } from "../../../src/sync/worker/call-meter.ts";
import { openTask } from "../../../src/sync/worker/open-run.ts";
import { COPY_APP, syncWorld } from "./run-fixture.ts";

vi.setConfig({ testTimeout: 120_000 });

type World = ReturnType<typeof syncWorld>;

/** What is done about each image, and what else goes wrong: `<repository>:<tag> <action>`, sorted. */
type Decisions = readonly string[];

const ACTIONS: Readonly<Record<string, string>> = {
  pending: "copy",
  copying: "copy",
  copied: "copy",
  "would-copy": "copy",
  skipped: "skip",
};

function decision(image: string, state: string, reason: string | null | undefined): string {
  return state === "failed" ? `${image}: ${reason ?? ""}` : `${image} ${ACTIONS[state] ?? state}`;
}

async function previewed(world: World, task: SyncTask): Promise<Decisions> {
  const found = await world.control.preview(task, { limit: 1000, signal: new AbortController().signal });
  if (!found.ok) throw new Error(found.error.message);
  const { items, warnings }: Preview = found.value;
  const lists = /^(?:the tags of )?(.*) cannot be listed: (.*?)(?:; nothing would be deleted)?$/;
  return [
    ...items.map(({ repository, tag, action }) => `${repository}:${tag} ${action}`),
    ...warnings.map((text) => text.replace(lists, "$1: $2").replace("nothing would be", "nothing was")),
  ].toSorted();
}

/** The command, told only to say what it would do. */
async function commanded(world: World, task: SyncTask): Promise<Decisions> {
  const opened = { signal: new AbortController().signal, meter: new CallMeter() };
  const mirror: MirrorTask = await openTask(task, world.ports, opened);
  const summary: RunSummary = await runTask(mirror, fakePorts(), { dryRun: true });
  return [
    ...summary.items.map(({ repository, tag, outcome, error }) => decision(`${repository}:${tag}`, outcome, error)),
    ...summary.listingFailures.map(({ repository, error }) => `${repository ?? "the repositories"}: ${error}`),
    ...summary.pruned.flatMap(({ repository, tags }) => tags.map((tag) => `${repository}:${tag} delete`)),
    ...summary.warnings.filter((text) => !text.startsWith("nothing was deleted: the repositories")),
  ].toSorted();
}

async function itemsOf(world: World, id: number): Promise<Decisions> {
  const items = await world.ports.items.list(id, { limit: 1000 });
  const nameOf = ({ repository, tag }: StoredItem) =>
    tag === "" ? (repository === "" ? "the repositories" : repository) : `${repository}:${tag}`;
  return items.map((item) => {
    const wanted = item.state === "skipped" && item.error === "it would be copied" ? "copied" : item.state;
    return decision(nameOf(item), wanted, item.error);
  });
}

function noted(world: World, id: number): Decisions {
  return world.lines
    .filter(({ execution, message }) => execution === id && !message.startsWith("nothing was deleted: the rep"))
    .flatMap(({ message, level }) => {
      const deleted = /^(?:would delete|deleted) (.*) of (.*) at /.exec(message);
      if (deleted !== null) return [`${deleted[2] ?? ""}:${deleted[1] ?? ""} delete`];
      // What a copy says of an image is no decision.
      return level === "warn" && !/^[a-z/]+:[a-z0-9]+: /.test(message) ? [message] : [];
    });
}

/** What a run does, to its end. */
async function done(world: World, task: SyncTask): Promise<Decisions> {
  const { id } = await world.run(task);
  await world.settle();
  return [...(await itemsOf(world, id)), ...new Set(noted(world, id))].toSorted();
}

/** What a dry run decides of images in which every message decides one image only. */
async function inPieces(world: World, task: SyncTask): Promise<Decisions> {
  const { id } = await world.run(task, { dryRun: true });
  const runner = new SyncRunner({ ...world.ports, timeLimit: 0 });
  for (let message = world.messages.shift(); message !== undefined; message = world.messages.shift()) {
    await runner.run(message.body);
  }
  return [...(await itemsOf(world, id))].toSorted();
}

interface Case {
  readonly spec: (world: World) => object;
  readonly images: (world: World) => void;
  readonly expected: Decisions;
}

const TWO = { registry: "hub", repositories: ["a/app", "b/app"] };
const BASE = [{ registry: "mirror", repository: "{{ .Base }}" }];
const ARM = [{ os: "linux", architecture: "arm64" }];
const OTHER = { layers: ["other"], tag: "v1" };
const NOT_WHOLE = "the list may not be whole";

const CASES: Readonly<Record<string, Case>> = {
  "what is new, what is not, and what is another image": {
    spec: () => COPY_APP,
    images({ source, target }) {
      for (const tag of ["v1", "v2", "v3"]) source.addImage("team/app", { layers: [tag], tag });
      target.addImage("team/app", { layers: ["v1"], tag: "v1" });
      target.addImage("team/app", { layers: ["older"], tag: "v2" });
    },
    expected: ["team/app:v1 unchanged", "team/app:v2 copy", "team/app:v3 copy"],
  },
  "two images under one name": {
    spec: () => ({ ...COPY_APP, source: TWO, targets: BASE }),
    images({ source }) {
      for (const repository of ["a/app", "b/app"]) source.addImage(repository, { layers: [repository], tag: "v1" });
    },
    expected: ["a/app:v1 copy", "b/app:v1: a/app:v1 has the same name at mirror: app:v1"],
  },
  "two images under one name, the first of which is there": {
    spec: () => ({ ...COPY_APP, source: TWO, targets: BASE }),
    images({ source, target }) {
      for (const repository of ["a/app", "b/app"]) source.addImage(repository, { layers: [repository], tag: "v1" });
      target.addImage("app", { layers: ["a/app"], tag: "v1" });
    },
    expected: ["a/app:v1 unchanged", "b/app:v1: a/app:v1 has the same name at mirror: app:v1"],
  },
  "two images under one name, the first of which cannot be looked at": {
    spec: () => ({ ...COPY_APP, source: TWO, targets: BASE, retry: { attempts: 1, initial: "1s", maximum: "1s" } }),
    images({ source, target }) {
      for (const repository of ["a/app", "b/app"]) source.addImage(repository, { layers: [repository], tag: "v1" });
      target.addImage("app", { layers: ["older"], tag: "v1" });
      source.before = ({ operation, repository }) => {
        if (operation === "head" && repository === "a/app") throw new Error("broken");
      };
    },
    expected: ["a/app:v1: broken", "b/app:v1: a/app:v1 has the same name at mirror: app:v1"],
  },
  "a tag that is not legal": {
    spec: () => ({ ...COPY_APP, targets: [{ registry: "mirror", tag: "-{{ .Tag }}" }] }),
    images: ({ source }) => void source.addImage("team/app", { tag: "v1" }),
    expected: [`team/app:v1: the target's tag -{{ .Tag }} makes "-v1" of team/app:v1, which is not a legal tag`],
  },
  "a namespace that the task may not write to": {
    spec: () => ({ ...COPY_APP, targets: [{ registry: "alias", repository: "elsewhere/app" }] }),
    images: ({ source }) => void source.addImage("team/app", { tag: "v1" }),
    expected: ["team/app:v1: this registry: the task may not push in the namespace elsewhere, where elsewhere/app is"],
  },
  "another image that stays": {
    spec: () => ({ ...COPY_APP, existing: "skip" }),
    images({ source, target }) {
      source.addImage("team/app", { tag: "v1" });
      target.addImage("team/app", OTHER);
    },
    expected: ["team/app:v1 skip"],
  },
  "another image that may not be replaced": {
    spec: () => ({ ...COPY_APP, existing: "fail" }),
    images({ source, target }) {
      source.addImage("team/app", { tag: "v1" });
      target.addImage("team/app", OTHER);
    },
    expected: ["team/app:v1 conflict"],
  },
  "another image that may not be replaced at one of two targets": {
    spec: ({ namespace }) => ({
      ...COPY_APP,
      existing: "fail",
      targets: [{ registry: "local", repository: `${namespace}/app` }, { registry: "mirror" }],
    }),
    images({ source, target }) {
      source.addImage("team/app", { tag: "v1" });
      target.addImage("team/app", OTHER);
    },
    expected: ["team/app:v1 conflict"],
  },
  "another image that may not be replaced, where platforms are selected": {
    spec: () => ({ ...COPY_APP, existing: "fail", platforms: { mode: "rewrite", select: ARM } }),
    images({ source, target }) {
      source.addPlatforms("team/app", "v1", ["linux/amd64", "linux/arm64"]);
      source.addPlatforms("team/app", "v2", ["linux/amd64", "linux/arm64"]);
      target.addImage("team/app", OTHER);
    },
    expected: ["team/app:v1 conflict", "team/app:v2 copy"],
  },
  ...Object.fromEntries(
    (["rewrite", "sparse", "single"] as const).map((mode) => [
      `images without the selected platform, of mode ${mode}`,
      {
        spec: () => ({ ...COPY_APP, platforms: { mode, select: ARM } }),
        images({ source, target }: World) {
          Object.assign(target.capabilities(), { sparse: true });
          source.addPlatforms("team/app", "both", ["linux/amd64", "linux/arm64"]);
          source.addPlatforms("team/app", "index", ["linux/amd64", "linux/s390x"]);
          source.addImage("team/app", { tag: "image" });
          const nested = source.addPlatforms("team/app", "nested", ["linux/amd64"]);
          source.addIndex("team/app", [nested], { tag: "nested" });
          source.addImage("team/app", { configType: "application/vnd.cncf.helm.config.v1+json", tag: "chart" });
        },
        expected: [
          "team/app:both copy",
          "team/app:chart copy",
          "team/app:image skip",
          "team/app:index skip",
          "team/app:nested skip",
        ],
      },
    ]),
  ),
  "a repository of the list that has no tags yet": {
    spec: () => ({ ...COPY_APP, source: { registry: "hub", project: "team" } }),
    images({ source }) {
      source.addImage("team/app", { tag: "v1" });
      source.addBlob("team/new", "first layer");
      source.before = ({ operation, repository }) => {
        if (operation === "tags" && repository === "team/new") throw new RegistryError("missing", "no such repository");
      };
    },
    expected: ["team/app:v1 copy"],
  },
  "no repository at all": {
    spec: () => ({ ...COPY_APP, source: { registry: "hub", project: "none" } }),
    images: ({ source }) => void source.addImage("team/app", { tag: "v1" }),
    expected: ["hub has no repository that the task selects"],
  },
  "lists that break off": {
    spec: () => ({
      ...COPY_APP,
      source: { registry: "hub", project: "team" },
      prune: { enabled: true, dryRun: false, maximumShare: 1 },
    }),
    images({ source, target }) {
      source.addImage("team/app", { tag: "v1" });
      target.addImage("team/app", { tag: "gone" });
      source.brokenLists.add("tags").add("repositories");
    },
    expected: ["team/app:v1 copy", `team/app: ${NOT_WHOLE}`, `the repositories: ${NOT_WHOLE}`],
  },
  "what is gone from the source": {
    spec: () => ({ ...COPY_APP, prune: { enabled: true, dryRun: false, maximumShare: 0.5 } }),
    images({ source, target }) {
      for (const tag of ["v1", "v2"]) source.addImage("team/app", { layers: [tag], tag });
      // More than the share of what is there now, and less of what will be.
      target.addImage("team/app", { tag: "gone" });
    },
    expected: ["team/app:gone delete", "team/app:v1 copy", "team/app:v2 copy"],
  },
  "more gone from the source than may be": {
    spec: () => ({ ...COPY_APP, prune: { enabled: true, dryRun: false, maximumShare: 0.1 } }),
    images({ source, target }) {
      for (const tag of ["v1", "v2"]) source.addImage("team/app", { layers: [tag], tag });
      target.addImage("team/app", { tag: "gone" });
    },
    expected: [
      "nothing was deleted from team/app at mirror: team/app: 1 of 3 tags would be deleted, more than the share of 0.1",
      "team/app:v1 copy",
      "team/app:v2 copy",
    ],
  },
  "a registry that cannot delete": {
    spec: () => ({ ...COPY_APP, prune: { enabled: true, dryRun: false, maximumShare: 1 } }),
    images({ source, target }) {
      source.addImage("team/app", { tag: "v1" });
      target.addImage("team/app", { tag: "gone" });
      Object.assign(target.capabilities(), { deleteTags: false });
    },
    expected: ["nothing was deleted from team/app at mirror: mirror cannot delete tags", "team/app:v1 copy"],
  },
};

describe.each(Object.entries(CASES))("of %s", (_name, { spec, images, expected }) => {
  it("a preview, the command's dry run, a run in pieces and a run decide the same", async () => {
    const world = syncWorld();
    images(world);
    const decisions = expected.toSorted();
    const task = await world.task("app", spec(world));
    expect(await previewed(world, task)).toEqual(decisions);
    expect(await commanded(world, task)).toEqual(decisions);
    expect(world.target.log("putBlob", "upload", "putManifest", "mount", "deleteTag")).toEqual([]);
    const ofImages = decisions.filter((text) => !/ delete$|^nothing was|^hub has/.test(text));
    expect(await inPieces(world, task)).toEqual(ofImages);
    expect(world.target.log("putBlob", "upload", "putManifest", "mount", "deleteTag")).toEqual([]);
    expect(await done(world, task)).toEqual(decisions);
  });
});
