import { describe, expect, it } from "vitest";
import { escapeVariables, expandVariables } from "./expand.ts";

const variables = (name: string) =>
  new Map([
    ["USER", "alice"],
    ["EMPTY", ""],
    ["TRICK", "${USER}"],
    ["YAML", "a: b\n- c"],
  ]).get(name);

describe("expandVariables", () => {
  it.each([
    ["${USER}", "alice"],
    ["x-${USER}-${USER}", "x-alice-alice"],
    ["${NONE:-bob}", "bob"],
    ["${EMPTY:-bob}", "bob"],
    ["${EMPTY}", ""],
    ["${NONE:-}", ""],
    ["${NONE:-a:-b}", "a:-b"],
    ["${USER:-bob}", "alice"],
    ["${TRICK}", "${USER}"],
    ["${YAML}", "a: b\n- c"],
    ["$${USER}", "${USER}"],
    ["pa$$word", "pa$$word"],
    ["^v1$", "^v1$"],
    ["$USER", "$USER"],
    ["{{ .Name }}", "{{ .Name }}"],
  ])("%s gives %s", (text, expected) => {
    expect(expandVariables(text, variables)).toMatchObject({ text: expected, problems: [] });
  });

  it.each([
    ["${NONE}", "the variable NONE is not set"],
    ["${}", "${} is no variable"],
    ["${1X}", "${1X} is no variable"],
    ["${USER-x}", "${USER-x} is no variable"],
    ["${USER", "${USER is no variable"],
  ])("%s is a problem", (text, problem) => {
    expect(expandVariables(text, variables).problems.join()).toContain(problem);
  });

  it("tells each problem", () => {
    expect(expandVariables("${A}${B}", variables).problems).toHaveLength(2);
  });

  it.each(["${USER}", "$${USER}", "a$b", "$$${", "plain"])("escapeVariables(%s) expands to it again", (text) => {
    expect(expandVariables(escapeVariables(text), variables).text).toBe(text);
  });
});
