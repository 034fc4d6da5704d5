import { describe, expect, it } from "vitest";
import { parseTemplate, repositoryTemplateProblem, tagTemplateProblem } from "./template.ts";
import { sourceTag, targetName, targetTag } from "./target-name.ts";

const source = { repository: "library/team/nginx", tag: "1.2" };

describe("targetName", () => {
  it.each([
    [undefined, "library/team/nginx"],
    ["mirror/{{ .Name }}", "mirror/team/nginx"],
    ["mirror/{{.Base}}", "mirror/nginx"],
    ["{{ .Repository }}", "library/team/nginx"],
    ["x-{{.Project}}/y/{{  .Base  }}-z", "x-library/y/nginx-z"],
    ["fixed", "fixed"],
    ["hub/{{ .Base }}/{{ .Tag }}", "hub/nginx/1.2"],
  ])("makes of %j %s", (template, expected) => {
    expect(targetName(template, source)).toEqual({ ok: true, value: expected });
  });

  it("takes the project of the rule for the project", () => {
    const name = targetName("{{ .Project }}/-/{{ .Name }}".replace("/-/", "/p/"), {
      ...source,
      project: "library/team",
    });
    expect(name).toEqual({ ok: true, value: "library/team/p/nginx" });
  });

  it("takes a name of one component whole", () => {
    expect(targetName("hub/{{ .Name }}", { repository: "nginx", tag: "1" })).toEqual({ ok: true, value: "hub/nginx" });
  });

  it.each([
    ["{{ .Project }}/{{ .Name }}", { repository: "nginx", tag: "1" }],
    ["a//{{ .Base }}", source],
    ["{{ .Base }}-", source],
    ["{{ .Base }}/{{ .Tag }}", { ...source, tag: "RC" }],
    [undefined, { ...source, repository: "Team/App" }],
    ["a/".repeat(125) + "{{ .Repository }}", source],
    ["../{{ .Base }}", source],
  ])("says of %j what is not legal", (template, name) => {
    expect(targetName(template, name)).toEqual({
      ok: false,
      error: expect.stringMatching(
        /^the target's repository.* makes ".*" of .*, which is not a legal repository name$/,
      ),
    });
  });
});

describe("targetTag", () => {
  it.each([
    [undefined, "1.2"],
    ["{{ .Base }}-{{ .Tag }}", "nginx-1.2"],
    ["stable", "stable"],
  ])("makes of %j %s", (template, expected) => {
    expect(targetTag(template, source)).toEqual({ ok: true, value: expected });
  });

  it.each(["{{ .Repository }}-{{ .Tag }}", "-{{ .Tag }}", `${"x".repeat(126)}{{ .Tag }}`])(
    "says of %j what is not legal",
    (template) => {
      expect(targetTag(template, source)).toMatchObject({
        ok: false,
        error: expect.stringContaining("not a legal tag"),
      });
    },
  );
});

describe("templates", () => {
  it.each([
    ["{{ .Nmae }}", "has {{ .Nmae }}, which is none of {{ .Repository }}"],
    ["{{ Name }}", "has {{ Name }}, which is none of"],
    ["{{ .Name | lower }}", "which is none of"],
    ["{{ .Name", "has a brace"],
    ["a}}b", "has a brace"],
    ["{ .Name }", "has a brace"],
    ["{{{ .Name }}}", "has a brace"],
    ["Mirror/{{ .Name }}", 'has "Mirror/", but a repository name is'],
    ["a b", "but a repository name is"],
  ])("refuses %j", (template, problem) => {
    expect(repositoryTemplateProblem(template)).toContain(problem);
  });

  it("refuses in tags what repositories may have", () => {
    expect(repositoryTemplateProblem("a/{{ .Tag }}")).toBeUndefined();
    expect(tagTemplateProblem("a/{{ .Tag }}")).toContain("a tag is");
    expect(tagTemplateProblem("RC-{{ .Tag }}")).toBeUndefined();
  });

  it("reads parts", () => {
    expect(parseTemplate("a/{{ .Base }}{{.Tag}}")).toEqual({
      ok: true,
      value: ["a/", { variable: "Base" }, { variable: "Tag" }],
    });
  });
});

describe("sourceTag", () => {
  it.each([
    [undefined, "1.2", "1.2"],
    ["{{ .Base }}-{{ .Tag }}-x", "nginx-1.2-x", "1.2"],
    ["{{ .Base }}-{{ .Tag }}", "redis-1.2", undefined],
    ["{{ .Base }}-{{ .Tag }}", "nginx-", undefined],
    ["stable", "stable", undefined],
    ["{{ .Tag }}-{{ .Tag }}", "1-1", undefined],
    ["{{ .Oops }}", "1", undefined],
  ])("goes back through %j from %j to %j", (template, tag, expected) => {
    expect(sourceTag(template, { repository: "library/nginx" }, tag)).toBe(expected);
  });
});
