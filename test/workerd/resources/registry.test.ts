import { describe, expect, it } from "vitest";
import type { GroupBuilder } from "../../../src/resources/index.ts";
import { exampleGroup, newGroup, resourcePlatform } from "./fixture.ts";

function withKind(group: string, more: object, declared: object = {}): GroupBuilder {
  const [first] = exampleGroup(group).kinds;
  if (first === undefined) throw new Error("no kind");
  return exampleGroup(group, { kinds: [{ ...first, ...more, declaration: { ...first.declaration, ...declared } }] });
}

const connecter = (subresource: string) => ({
  subresource,
  description: "",
  methods: [],
  connect: () => Promise.resolve(new Response()),
});

describe("registration", () => {
  it.each<[string, (group: string) => readonly GroupBuilder[], RegExp]>([
    [
      "a group twice",
      (group) => [exampleGroup(group), exampleGroup(group)],
      /group g\d+\.example\.dev: registered twice/,
    ],
    ["a kind twice", (group) => [doubled(exampleGroup(group))], /Task is registered twice/],
    ["a bad group", () => [exampleGroup("Bad")], /group "Bad": not a DNS name of at least two labels/],
    ["no version", (group) => [exampleGroup(group, { versions: [] })], /has no version/],
    ["a bad version", (group) => [exampleGroup(group, { versions: ["1"] })], /"1" is not a version such as v1/],
    ["a version that the group has not", (group) => [withKind(group, { versions: ["v9"] })], /names version v9/],
    ["a kind in no version", (group) => [withKind(group, { versions: [] })], /kind Task has no version/],
    ["a bad kind", (group) => [withKind(group, {}, { kind: "task" })], /kind "task" must begin with a capital/],
    ["a bad plural", (group) => [withKind(group, {}, { plural: "My_Tasks" })], /plural "My_Tasks" must be a DNS label/],
    ["a column that leads nowhere", (group) => [withKind(group, {}, { columns: [column] })], /column "Bad"/],
    [
      "a subresource twice",
      (group) => [withKind(group, { connecters: [connecter("status")] })],
      /the subresource status twice/,
    ],
  ])("of %s fails at the start and says why", (_, groups, message) => {
    expect(() => resourcePlatform({ groups: groups(newGroup()) })).toThrow(message);
  });

  it("serves a kind in each version that names it", async () => {
    const group = newGroup();
    const { registry } = resourcePlatform({ groups: [withKind(group, { versions: ["v1beta1"] })] });
    expect((await registry.version(group, "v1"))?.version.resources).toEqual([]);
    expect((await registry.version(group, "v1beta1"))?.version.resources).toHaveLength(1);
    expect((await registry.resource(group, "tasks"))?.served.version).toBe("v1beta1");
  });

  it("tells a group when the platform runs", () => {
    const group = newGroup();
    let started = 0;
    const onStart = () => void (started += 1);
    resourcePlatform({ groups: [exampleGroup(group, { onStart })] });
    expect(started).toBe(1);
  });
});

const column = { name: "Bad", type: "string", jsonPath: ".spec[" };

function doubled(builder: GroupBuilder): GroupBuilder {
  return { ...builder, kinds: [...builder.kinds, ...builder.kinds] };
}
