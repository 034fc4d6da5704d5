import { describe, expect, it } from "vitest";
import { systemIdentity } from "../../../src/access/index.ts";
import {
  type ApiServices,
  createResources,
  type GroupBuilder,
  resourceApi,
  type ResourceClient,
  type ResourceObject,
  systemAuthorizer,
  WatchLimit,
} from "../../../src/resources/index.ts";
import { SECURE_VALUES } from "../../../src/secrets/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";
import { greetingGroup } from "./greetings.ts";

// The example of docs/resources.md, run as the composition root would run it.

function platform(...more: readonly GroupBuilder[]) {
  const client = (): ResourceClient => resources.client;
  const resources = createResources({
    secretKind: SECURE_VALUES,
    database: bindings.DB,
    clock: Date.now,
    log: quietLog,
    hubs: bindings.WATCH_HUBS,
    enqueue: async () => {},
    background: (work) => void work,
    staleness: 0,
    authorizer: () => systemAuthorizer,
    groups: [greetingGroup(client), ...more],
  });
  const services: ApiServices = {
    gate: {
      authenticate: async () => ({ ok: true, value: systemIdentity("tester") }),
      identify: async () => ({ ok: true, value: systemIdentity("tester") }),
      standing: async () => ({ ok: true, value: systemIdentity("tester") }),
      decide: () => ({ allowed: true, reason: "test" }),
      allows: () => true,
      challenge: () => "Basic",
    },
    audit: { record() {} },
    registry: resources.registry,
    authorizer: () => ({ decision: "allow" }),
    clock: Date.now,
    stopping: () => false,
    watches: new WatchLimit(100, Date.now),
    defer: async () => {},
    rest: async () => {},
    reportFailure: () => "failure",
  };
  const send = async (method: string, path: string, body?: string, accept = "application/json") => {
    const headers = { accept, "content-type": "application/yaml", "user-agent": "kubectl/v1.33" };
    const init = body === undefined ? { method, headers } : { method, headers, body };
    return resourceApi(services, new Request(`http://registry/apis/greetings.example.dev/v1${path}`, init));
  };
  return { resources, send };
}

const IN_TEAM = "/namespaces/team-a/greetings";

function greeting(name: string, spec: string): string {
  return `
apiVersion: greetings.example.dev/v1
kind: Greeting
metadata:
  name: ${name}
spec:
${spec}`;
}

describe("the example of the documentation", () => {
  it("is created from YAML, with defaults and the group's changes", async () => {
    const { send } = platform();
    const created = await send("POST", IN_TEAM, greeting("hello", "  text: '  Hello '"));
    expect(created.status).toBe(201);
    const object = await created.json<ResourceObject>();
    expect(object.spec).toEqual({ text: "Hello", language: "en" });
    expect(object.metadata).toMatchObject({ name: "hello", namespace: "team-a", generation: 1 });
    expect((await send("GET", `${IN_TEAM}/hello`)).status).toBe(200);
    expect((await send("GET", `${IN_TEAM}?fieldSelector=spec.language%3Dth`)).status).toBe(200);
  });

  it.each([
    ["its schema", "  text: ''", "spec.text"],
    ["its schema's values", "  text: Hi\n  language: xx", "spec.language"],
    ["its rule", "  text: Hello\n  language: fr", "Hello is not French"],
    ["its group", "  text: Hi\n  audience: [ann, ann]", "nobody is greeted twice"],
  ])("is refused by %s", async (_, spec, message) => {
    const { send } = platform();
    const refused = await send("POST", IN_TEAM, greeting("bad", spec));
    expect(refused.status).toBe(422);
    expect((await refused.json<{ message: string }>()).message).toContain(message);
  });

  it("has the columns it declares", async () => {
    const { send } = platform();
    await send("POST", IN_TEAM, greeting("columns", "  text: Sawasdee\n  language: th"));
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const table = await (
      await send("GET", `${IN_TEAM}?fieldSelector=metadata.name%3Dcolumns`, undefined, accept)
    ).json<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>();
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Text", "Language", "Said", "Age"]);
    expect(table.rows[0]?.cells.slice(0, 3)).toEqual(["columns", "Sawasdee", "th"]);
  });

  it("is said, and counts it in its status, which a watch sees", async () => {
    const { send, resources } = platform();
    const created = await (await send("POST", IN_TEAM, greeting("watched", "  text: Hi"))).json<ResourceObject>();
    const said = await send("POST", `${IN_TEAM}/watched/say`);
    expect(await said.json()).toEqual({ text: "Hi", said: 1 });
    const end = new AbortController();
    const kind = { group: "greetings.example.dev", plural: "greetings" };
    const since = created.metadata.resourceVersion;
    for await (const frame of resources.client.watch(kind, { since, signal: end.signal })) {
      if (frame.type === "BOOKMARK") continue;
      expect(frame).toMatchObject({ type: "MODIFIED", object: { status: { said: 1 }, metadata: { generation: 1 } } });
      end.abort();
    }
  });

  it("cannot be registered twice", () => {
    expect(() => platform(greetingGroup(() => ({}) as ResourceClient))).toThrow(
      "group greetings.example.dev: registered twice",
    );
  });
});
