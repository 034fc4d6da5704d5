import { beforeAll, describe, expect, it } from "vitest";
import { request } from "../bindings.ts";
import { widgetObject, widgets } from "./definition-fixture.ts";
import { newGroup, PLATFORM, until } from "./fixture.ts";

const group = newGroup();
const path = `/apis/${group}/v1/namespaces/team-a/widgets`;

function send(method: string, to: string, body?: object): Promise<Response> {
  const init = { method, headers: { "content-type": "application/json" } };
  return request(to, body === undefined ? init : { ...init, body: JSON.stringify(body) });
}

async function create(name: string): Promise<string> {
  const response = await send("POST", path, { ...widgetObject(name), apiVersion: `${group}/v1` });
  expect(response.status).toBe(201);
  return (await response.json<Frame["object"]>()).metadata.resourceVersion;
}

interface Frame {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly apiVersion: string;
    readonly metadata: { readonly name?: string; readonly annotations?: object; readonly resourceVersion: string };
    readonly code?: number;
  };
}

function parsed(text: string): Frame[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Frame);
}

beforeAll(async () => {
  const defined = await send("POST", `/apis/${PLATFORM}/v1/resourcedefinitions`, widgets(group));
  expect(defined.status).toBe(201);
});

describe("a watch over HTTP", () => {
  it("streams lines, and ends when its time is over", async () => {
    const since = await create("before");
    const began = Date.now();
    const watched = request(`${path}?watch=true&timeoutSeconds=2&resourceVersion=${since}`);
    const response = await watched;
    expect(response.headers.get("content-type")).toContain("stream=watch");
    await create("after");
    const frames = parsed(await response.text());
    expect(frames.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(["ADDED after"]);
    expect(Date.now() - began).toBeGreaterThanOrEqual(1900);
    expect(Date.now() - began).toBeLessThan(60_000);
  });

  it("sends what there is first, and marks where that ends", async () => {
    await create("initial");
    const query = new URLSearchParams({
      watch: "true",
      timeoutSeconds: "1",
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: "true",
      fieldSelector: "metadata.name=initial",
    });
    const [first, mark] = parsed(await (await request(`${path}?${query}`)).text());
    expect(first).toMatchObject({ type: "ADDED", object: { metadata: { name: "initial" } } });
    expect(mark).toMatchObject({
      type: "BOOKMARK",
      object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } },
    });
    expect(Number(mark?.object.metadata.resourceVersion)).toBeGreaterThan(0);
  });

  it.each([
    ["watch=True", true],
    ["watch=1", true],
    ["watch", true],
    ["watch=yes", true],
    ["watch=0", false],
    ["watch=False", false],
    ["", false],
  ])("is asked for by ?%s: %s", async (query, isWatch) => {
    const response = await request(
      `${path}?${query}&timeoutSeconds=1&resourceVersion=${await create(`q-${Math.random()}`)}`,
    );
    expect(response.headers.get("content-type")?.includes("stream=watch")).toBe(isWatch);
    await response.text();
  });

  it.each([
    ["Object", "application/json", "Widget", `${group}/v1`],
    [
      "metadata",
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
      "PartialObjectMetadata",
      "meta.k8s.io/v1",
    ],
    [
      "old metadata",
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1",
      "PartialObjectMetadata",
      "meta.k8s.io/v1beta1",
    ],
    ["table", "application/json;as=Table;g=meta.k8s.io;v=v1", "Table", "meta.k8s.io/v1"],
  ])("has changes and bookmarks in one form: %s", async (_form, accept, kind, apiVersion) => {
    const query =
      "watch=true&timeoutSeconds=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    await create(`form-${Math.random()}`);
    const response = await request(`${path}?${query}`, { headers: { accept } });
    const frames = parsed(await response.text());
    expect(new Set(frames.map(({ type }) => type))).toEqual(new Set(["ADDED", "BOOKMARK"]));
    expect(frames.filter(({ object }) => object.kind !== kind || object.apiVersion !== apiVersion)).toEqual([]);
  });

  it("from a version that never was ends with an error that says to begin anew", async () => {
    const response = await request(`${path}?watch=true&timeoutSeconds=5&resourceVersion=999999999`);
    expect(parsed(await response.text())).toMatchObject([{ type: "ERROR", object: { code: 410 } }]);
  });
});

describe("a watch over a WebSocket", () => {
  it("sends a message for each change", async () => {
    const since = await create("first");
    const response = await request(`${path}?watch=true&resourceVersion=${since}`, {
      headers: { upgrade: "websocket" },
    });
    expect(response.status).toBe(101);
    const socket = response.webSocket;
    if (socket === null) throw new Error("no WebSocket");
    const frames: Frame[] = [];
    socket.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data)) as Frame));
    socket.accept();
    for (const name of ["second", "third"]) await create(name);
    await send("DELETE", `${path}/second`);
    await until(() => frames.length === 3);
    socket.close(1000);
    expect(frames.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      "ADDED second",
      "ADDED third",
      "DELETED second",
    ]);
  });

  it("is closed when its time is over", async () => {
    const response = await request(`${path}?watch=true&timeoutSeconds=1`, { headers: { upgrade: "websocket" } });
    const socket = response.webSocket;
    if (socket === null) throw new Error("no WebSocket");
    let code: number | undefined;
    socket.addEventListener("close", (event) => {
      code = event.code;
    });
    socket.accept();
    await until(() => code !== undefined);
    expect(code).toBe(1000);
  });
});

describe("restore", () => {
  it("is a subresource of definitions as well", async () => {
    const other = newGroup();
    const to = `/apis/${PLATFORM}/v1/resourcedefinitions`;
    expect((await send("POST", to, widgets(other))).status).toBe(201);
    await send("DELETE", `${to}/widgets.${other}`);
    expect((await request(`${to}/widgets.${other}`)).status).toBe(404);
    const trash = await request(`${to}?labelSelector=entrepot.dev/get-trash%3Dtrue`);
    const { items } = await trash.json<{ items: Frame["object"][] }>();
    const lost = items.find(({ metadata }) => metadata.name === `widgets.${other}`);
    const body = { resourceVersion: lost?.metadata.resourceVersion };
    expect((await send("POST", `${to}/widgets.${other}/restore`, body)).status).toBe(200);
    expect((await request(`/apis/${other}/v1`)).status).toBe(200);
  });
});
