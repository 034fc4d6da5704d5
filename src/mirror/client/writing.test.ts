import { digestBytes } from "../../oci/index.ts";
import { describe, expect, it } from "vitest";
import { json, type Seen, streamOf, testRegistry } from "./network.fixture.ts";
import type { RemoteRegistryOptions } from "./remote-registry.ts";

const BYTES = new TextEncoder().encode("the bytes of a layer");
const DIGEST = digestBytes("sha256", BYTES);
const BLOB = { mediaType: "application/octet-stream", digest: DIGEST, size: BYTES.length };
const ENCODED = encodeURIComponent(DIGEST);

const push = (answer: (request: Seen) => Response | undefined, more: Partial<RemoteRegistryOptions> = {}) => {
  const there = testRegistry(answer, more);
  return { ...there, repository: there.registry.repository("a/b", "push") };
};
const accepted = (location: string, headers: Record<string, string> = {}) =>
  new Response(null, { status: 202, headers: { location, ...headers } });

describe("a blob in one request", () => {
  it.each([
    [
      "/v2/a/b/blobs/uploads/1?_state=a%2Bb==&x",
      `https://registry.example.com/v2/a/b/blobs/uploads/1?_state=a%2Bb==&x&digest=${ENCODED}`,
    ],
    ["https://registry.example.com/u/1", `https://registry.example.com/u/1?digest=${ENCODED}`],
    ["http://registry.example.com/u/1", `https://registry.example.com/u/1?digest=${ENCODED}`],
    ["https://upload.example.net/1?k=v", `https://upload.example.net/1?k=v&digest=${ENCODED}`],
  ])("goes to %s", async (location, address) => {
    const { repository, network } = push(
      ({ method, headers, url }) => {
        if (url.host === "registry.example.com" && !headers.has("authorization")) {
          return new Response("", { status: 401, headers: { "www-authenticate": "Basic" } });
        }
        return method === "POST" ? accepted(location) : new Response(null, { status: 201 });
      },
      { credential: { kind: "basic", username: "me", password: "secret" } },
    );
    await repository.putBlob(BLOB, streamOf(BYTES));
    const put = network.seen.at(-1);
    expect(put?.url.href).toBe(address);
    expect(put?.body).toEqual(BYTES);
    expect(put?.headers.get("content-length")).toBe(String(BYTES.length));
    expect(put?.headers.has("authorization")).toBe(put?.url.host === "registry.example.com");
  });

  it.each(["https://10.0.0.1/u", "http://elsewhere.example.net/u"])("does not go to %s", async (location) => {
    const { repository } = push(() => accepted(location), { allowPrivate: true });
    await expect(repository.putBlob(BLOB, streamOf(BYTES))).rejects.toMatchObject({ failure: "forbidden-address" });
  });

  it("that fails is removed, and its source let go", async () => {
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    const { repository, network } = push(({ method }) => (method === "POST" ? accepted("/u/1") : undefined), {
      fetch: async (input, init) => {
        if (init.method === "PUT")
          return new Response(`{"errors":[{"code":"DENIED","message":"full"}]}`, { status: 403 });
        return await network.fetch(input, init);
      },
    });
    await expect(repository.putBlob(BLOB, source)).rejects.toMatchObject({ failure: "denied" });
    expect(cancelled).toBe(true);
    expect(network.lines().at(-1)).toBe("DELETE https://registry.example.com/u/1");
  });

  it("fails for the source's own reason", async () => {
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("the source is gone")),
    });
    const { repository } = push(({ method }) =>
      method === "POST" ? accepted("/u/1") : new Response(null, { status: 201 }),
    );
    await expect(repository.putBlob(BLOB, source)).rejects.toThrow("the source is gone");
  });

  it("has to be sent again when the token ran out on the way", async () => {
    let good = "t1";
    let tokens = 0;
    const { repository } = push(({ method, url, headers }) => {
      if (url.host === "auth.example.com") return json({ token: `t${(tokens += 1)}` });
      if (headers.get("authorization") !== `Bearer ${good}`) {
        return new Response("", {
          status: 401,
          headers: { "www-authenticate": `Bearer realm="https://auth.example.com/"` },
        });
      }
      good = tokens === 1 ? "t2" : good;
      return method === "POST" ? accepted("/u/1") : new Response(null, { status: 201 });
    });
    await expect(repository.putBlob(BLOB, streamOf(BYTES))).rejects.toMatchObject({
      failure: "transient",
      status: 401,
    });
    await repository.putBlob(BLOB, streamOf(BYTES));
  });
});

describe("an upload in parts", () => {
  it("goes on where the registry says, by addresses that change", async () => {
    const { repository, network } = push(({ method, url, headers }) => {
      if (method === "POST") return accepted("/u/1", { "oci-chunk-min-length": "5" });
      if (method === "PATCH")
        return accepted(`${url.pathname}1`, { range: `0-${(headers.get("content-range") ?? "").split("-")[1]}` });
      return new Response(null, {
        status: method === "GET" ? 204 : 201,
        headers: method === "GET" ? { range: "0-9" } : {},
      });
    });
    const first = await repository.upload();
    expect([first.resumable, first.minimumLength, first.state.offset]).toEqual([true, 5, 0]);
    expect(await first.append(streamOf(BYTES.slice(0, 10)), 10)).toEqual({
      location: "https://registry.example.com/u/11",
      offset: 10,
    });
    const second = await repository.upload({ ...first.state, offset: 3 });
    expect(second.state.offset).toBe(10);
    await second.append(streamOf(BYTES.slice(10)), BYTES.length - 10);
    await second.close(DIGEST);
    expect(network.lines()).toEqual([
      "POST https://registry.example.com/v2/a/b/blobs/uploads/",
      "PATCH https://registry.example.com/u/1",
      "GET https://registry.example.com/u/11",
      "PATCH https://registry.example.com/u/11",
      `PUT https://registry.example.com/u/111?digest=${ENCODED}`,
    ]);
    expect(network.seen[3]?.headers.get("content-range")).toBe(`10-${BYTES.length - 1}`);
  });

  it.each([
    [404, undefined],
    [405, undefined],
    [403, undefined],
    [410, undefined],
    [204, undefined],
    [204, "nonsense"],
  ])("begins anew where the old one is answered with %i and %s", async (status, range) => {
    const { repository } = push(({ method }) =>
      method === "POST"
        ? accepted("/u/2")
        : new Response(null, { status, headers: range === undefined ? {} : { range } }),
    );
    const upload = await repository.upload({ location: "https://registry.example.com/u/1", offset: 5 });
    expect(upload.state).toEqual({ location: "https://registry.example.com/u/2", offset: 0 });
  });

  it("that the registry refuses lowers what it can; out of order, it says where it stands", async () => {
    const begun = (status: number) =>
      push(({ method }) => {
        if (method === "POST") return accepted("/u/1");
        return method === "GET"
          ? new Response(null, { status: 204, headers: { range: "0-3" } })
          : new Response(null, { status });
      });
    const without = begun(405);
    const upload = await without.repository.upload();
    await expect(upload.append(streamOf(BYTES), BYTES.length)).rejects.toMatchObject({ failure: "transient" });
    expect([without.registry.capabilities().chunks, upload.resumable]).toEqual([false, false]);
    const disordered = await begun(416).repository.upload();
    await expect(disordered.append(streamOf(BYTES), BYTES.length)).rejects.toMatchObject({ failure: "transient" });
    expect(disordered.state.offset).toBe(4);
  });

  it("is cancelled without a word about failure, even after a stop", async () => {
    const controller = new AbortController();
    const { repository, network } = push(({ method }) => (method === "POST" ? accepted("/u/1") : undefined), {
      signal: controller.signal,
    });
    const upload = await repository.upload();
    controller.abort();
    await upload.cancel();
    expect(network.lines().at(-1)).toBe("DELETE https://registry.example.com/u/1");
  });
});

describe("mounting", () => {
  it.each([
    [201, true, 1],
    [202, false, 2],
    [400, false, 1],
    [403, false, 1],
    [404, false, 1],
    [405, false, 1],
  ])("answered with %i is %s", async (status, mounted, requests) => {
    const { repository, network } = push(({ method }) =>
      method === "DELETE"
        ? new Response(null, { status: 204 })
        : new Response(null, { status, headers: { location: "/u/1" } }),
    );
    expect(await repository.mount(DIGEST, "c/d")).toBe(mounted);
    expect(network.lines()[0]).toBe(
      `POST https://registry.example.com/v2/a/b/blobs/uploads/?mount=${ENCODED}&from=c%2Fd`,
    );
    expect(network.seen).toHaveLength(requests);
  });

  it("asks for a token for both repositories", async () => {
    const { repository, network } = push(({ url, headers }) => {
      if (url.host === "auth.example.com") return json({ token: "t" });
      if (headers.has("authorization")) return new Response(null, { status: 201 });
      return new Response("", {
        status: 401,
        headers: { "www-authenticate": `Bearer realm="https://auth.example.com/"` },
      });
    });
    expect(await repository.mount(DIGEST, "c/d")).toBe(true);
    expect(network.seen[1]?.url.searchParams.getAll("scope")).toEqual([
      "repository:a/b:pull,push",
      "repository:c/d:pull",
    ]);
  });

  it("says when trying later may help", async () => {
    const { repository } = push(() => new Response("", { status: 503 }));
    await expect(repository.mount(DIGEST, "c/d")).rejects.toMatchObject({ failure: "transient" });
  });
});

describe("a manifest", () => {
  const content = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: DIGEST, bytes: BYTES };

  it.each([
    [{ "oci-subject": "sha256:x" }, true],
    [{ "docker-content-digest": DIGEST }, false],
  ])("is stored; %j", async (headers, subject) => {
    const { repository, network } = push(() => new Response(null, { status: 201, headers }));
    expect(await repository.putManifest("v1", content)).toEqual({ subject });
    expect(network.seen[0]?.headers.get("content-type")).toBe(content.mediaType);
    expect(network.seen[0]?.body).toEqual(BYTES);
  });

  it("that the registry rewrites is corrupt", async () => {
    const headers = { "docker-content-digest": `sha256:${"0".repeat(64)}` };
    const { repository } = push(() => new Response(null, { status: 201, headers }));
    await expect(repository.putManifest("v1", content)).rejects.toMatchObject({ failure: "corrupt" });
  });
});

describe("deleting a tag", () => {
  it.each([202, 404])("is done with %i", async (status) => {
    const { repository, network } = push(() => new Response(null, { status }));
    await repository.deleteTag("v1");
    expect(network.lines()).toEqual(["DELETE https://registry.example.com/v2/a/b/manifests/v1"]);
  });

  it.each([400, 405])("is given up after %i", async (status) => {
    const { registry, repository, network } = push(() => new Response(null, { status }));
    await expect(repository.deleteTag("v1")).rejects.toMatchObject({ failure: "unsupported" });
    await expect(repository.deleteTag("v2")).rejects.toMatchObject({ failure: "unsupported" });
    expect(network.seen).toHaveLength(1);
    expect(registry.capabilities().deleteTags).toBe(false);
  });

  it("never deletes a manifest", async () => {
    const { repository, network } = push(() => new Response(null, { status: 202 }));
    await expect(repository.deleteTag(DIGEST)).rejects.toMatchObject({ failure: "unsupported" });
    expect(network.seen).toEqual([]);
  });
});
