import { expect, it } from "vitest";
import { syncPlatform } from "./kinds-fixture.ts";

const UP = "/../../../../..";

interface Resource {
  readonly name: string;
  readonly verbs: readonly string[];
}

it("tells kubectl what there is, and what it can do", async () => {
  const { api } = syncPlatform("sync-discovery");
  const { body } = await api("GET", `${UP}/apis/sync.entrepot.dev/v1`);
  const verbs = new Map((body.resources as readonly Resource[]).map((found) => [found.name, found.verbs]));
  expect(verbs.get("executions")?.toSorted()).toEqual(["delete", "get", "list", "watch"]);
  expect(verbs.get("synctasks")).toEqual(expect.arrayContaining(["create", "patch", "watch"]));
  expect([...verbs.keys()]).toEqual(
    expect.arrayContaining([
      "executions/logs",
      "executions/retry",
      "executions/stop",
      "notificationchannels/test",
      "registries/projects",
      "registries/repositories",
      "registries/test",
      "synctasks/preview",
      "synctasks/run",
      "synctasks/status",
      "synctasks/stop",
    ]),
  );
  expect(verbs.get("executions/status")).toEqual(["get"]);
});

it("explains the rules of tasks", async () => {
  const { api } = syncPlatform("sync-discovery");
  const { body } = await api("GET", `${UP}/openapi/v3/apis/sync.entrepot.dev/v1`);
  const schemas = JSON.stringify(body.components.schemas);
  expect(schemas).toContain("Regular expressions (RE2)");
  expect(schemas).toContain("Name of a SecureValue in this namespace");
});
