import { describe, expect, it } from "vitest";
import { circleOf, type Flow } from "./circle.ts";
import type { SourceRule } from "./mirror-rules.ts";

type Select = Omit<SourceRule, "registry">;

/** A task from a registry to a template of names at one. */
const flow = (task: string, from: string, select: Select, to: string, repository?: string): Flow => ({
  task,
  source: { registry: from, ...select },
  targets: [{ registry: to, ...(repository === undefined ? {} : { repository }) }],
});
const repositories = (...names: string[]): Select => ({ repositories: names });

describe("a task that reads what it writes", () => {
  it.each<[Select, string | undefined]>([
    [repositories("grow/*"), "grow/{{ .Name }}-copy"],
    [{ project: "grow" }, "grow/{{ .Name }}-copy"],
    [repositories("**"), "mirror/{{ .Repository }}"],
    [repositories("**"), undefined],
    [{ repository: "team/app" }, undefined],
    [{ repository: "team/app" }, "{{ .Project }}/{{ .Base }}"],
    [repositories("prod/**"), "prod/mirror/{{ .Name }}"],
    [repositories("**/app"), "copy/app"],
    [repositories("**/app"), "{{ .Project }}/other/{{ .Base }}"],
    [repositories("team/*"), "team/all"],
    [repositories("a", "a-copy"), "{{ .Repository }}-copy"],
    [repositories("*/app"), "{{ .Base }}/app"],
    [repositories("a?c"), "{{ .Repository }}"],
    [repositories("x*"), "x{{ .Tag }}"],
    [{ project: "a/b", repositories: ["c*"] }, "{{ .Project }}/c-{{ .Name }}"],
  ])("%j to %s", (select, template) => {
    expect(circleOf(flow("t", "r", select, "r", template), [])).toEqual({ target: 0, through: [] });
  });

  it.each<[Select, string | undefined]>([
    [{ repository: "team/app" }, "team/app-copy"],
    [repositories("a", "b"), "{{ .Repository }}-copy"],
    [repositories("grow/*"), "copy/{{ .Name }}"],
    [repositories("prod/*"), "prod/mirror/{{ .Name }}"],
    [repositories("*"), "library/{{ .Repository }}"],
    [repositories("**/app"), "copy/{{ .Base }}-2"],
    [repositories("app-?"), "{{ .Repository }}-copy"],
    [repositories("**/x-app"), "{{ .Project }}x-web"],
    [{ project: "grow" }, "{{ .Name }}/grow"],
  ])("is none of %j to %s", (select, template) => {
    const found = circleOf(flow("t", "r", select, "r", template), []);
    // The last may be, with a repository grow/grow.
    if (template === "{{ .Name }}/grow") expect(found).toBeDefined();
    else expect(found).toBeUndefined();
    expect(circleOf(flow("t", "r", select, "elsewhere", template), [])).toBeUndefined();
  });
});

describe("tasks in a circle", () => {
  const there = flow("there", "a", repositories("team/*"), "b", "from-a/{{ .Name }}");

  it("are found, with those on the way", () => {
    const back = flow("back", "b", repositories("from-a/*"), "a", "team/{{ .Name }}-again");
    expect(circleOf(back, [there])).toEqual({ target: 0, through: ["there"] });
    expect(circleOf(there, [back])).toEqual({ target: 0, through: ["back"] });
    const third = flow("third", "b", repositories("from-a/x"), "c", "x");
    const last = flow("last", "c", { repository: "x" }, "a", "team/x");
    expect(circleOf(last, [there, third])).toEqual({ target: 0, through: ["there", "third"] });
  });

  it.each([
    ["that write elsewhere", flow("back", "b", repositories("from-a/*"), "a", "other/{{ .Name }}")],
    ["that read something else", flow("back", "b", repositories("own/*"), "a", "team/{{ .Name }}")],
    ["at another registry", flow("back", "c", repositories("from-a/*"), "a", "team/{{ .Name }}")],
    ["that only pass on", flow("on", "b", repositories("from-a/*"), "c")],
  ])("are none %s", (_case, other) => {
    expect(circleOf(other, [there])).toBeUndefined();
    expect(circleOf(there, [other])).toBeUndefined();
  });

  it("of which the names do not come back are none", () => {
    const there = flow("there", "a", { repository: "app" }, "b", "x/app");
    const back = flow("back", "b", repositories("x/*"), "a", "{{ .Name }}-done");
    expect(circleOf(back, [there])).toBeUndefined();
  });

  it("are looked for in bounded time among many", () => {
    const names = Array.from({ length: 500 }, (_, index) => `team/app-${index}`);
    const others = Array.from({ length: 200 }, (_, index) => flow(`t${index}`, "b", repositories("**"), "c"));
    const wide = { ...flow("wide", "a", repositories(...names), "b"), targets: [{ registry: "b" }, { registry: "c" }] };
    expect(circleOf(wide, others)).toBeUndefined();
    const passing = flow("passing", "c", repositories("other/*"), "a", "team/{{ .Name }}");
    expect(circleOf(wide, [...others, passing])).toBeUndefined();
  });
});
