import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "./service.ts";

const GROUP = "bench.example.org";
const PLURAL = "parcels";
/** Requests under way while objects are made that a measurement needs. */
const FILLERS = 16;
/** Longest wait for a watcher, in milliseconds. */
const PATIENCE = 30_000;

/** A kind of an ordinary shape: checked, with a default, and a column. */
export const KIND = {
  apiVersion: "platform.entrepot.dev/v1",
  kind: "ResourceDefinition",
  metadata: { name: `${PLURAL}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Namespaced",
    names: { kind: "Parcel", plural: PLURAL },
    versions: [
      {
        name: "v1",
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            required: ["spec"],
            properties: {
              spec: {
                type: "object",
                required: ["from", "to"],
                properties: {
                  from: { type: "string", minLength: 1 },
                  to: { type: "string", minLength: 1 },
                  grams: { type: "integer", minimum: 0, default: 100 },
                  contents: { type: "array", items: { type: "string" } },
                },
              },
            },
          },
        },
        additionalPrinterColumns: [{ name: "To", type: "string", jsonPath: ".spec.to" }],
      },
    ],
  },
};

export interface Parcel {
  readonly metadata: { readonly name: string };
}

/** An object of the kind that is not there yet. */
export function newObject(name: string = crypto.randomUUID()): Parcel {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: "Parcel",
    metadata: { name, labels: { route: "north" } },
    spec: { from: "Bergen", to: "Trieste", contents: ["books", "tea", "a lamp"] },
  } as Parcel;
}

/** Where the kind's objects of a namespace are. */
export function objectsUrl({ url }: Service, namespace: string): string {
  return `${url}/apis/${GROUP}/v1/namespaces/${namespace}/${PLURAL}`;
}

/** @throws if the answer is no success */
export async function post(url: string, body: unknown): Promise<unknown> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

/** Makes objects `o00000` and on in the namespace `list`. Resolves to one of them, as it is served. */
export async function fill(service: Service, count: number): Promise<unknown> {
  const url = objectsUrl(service, "list");
  let next = 0;
  let made: unknown;
  const work = async (): Promise<void> => {
    while (next < count) {
      const name = `o${String(next).padStart(5, "0")}`;
      next += 1;
      made = await post(url, newObject(name));
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, work));
  return made;
}

/** Lists page by page; resolves to the number of objects. */
export async function listAll(url: string): Promise<number> {
  let count = 0;
  for (let token = ""; ;) {
    const response = await fetch(token === "" ? url : `${url}&continue=${encodeURIComponent(token)}`);
    if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
    const page = (await response.json()) as {
      readonly items: readonly unknown[];
      readonly metadata: { readonly continue?: string };
    };
    count += page.items.length;
    token = page.metadata.continue ?? "";
    if (token === "") return count;
  }
}

/** Many watches of the same objects. */
export class Watchers {
  readonly #end: AbortController;
  readonly #expected = new Map<string, { missing: number; resolve: () => void }>();
  readonly #count: number;

  private constructor(end: AbortController, count: number) {
    this.#end = end;
    this.#count = count;
  }

  /** Opens them, and waits until every one of them is told of changes as they happen. */
  static async open(url: string, count: number): Promise<Watchers> {
    const end = new AbortController();
    const watchers = new Watchers(end, count);
    const from = await fetch(url);
    const { metadata } = (await from.json()) as { readonly metadata: { readonly resourceVersion: string } };
    const query = `watch=true&resourceVersion=${metadata.resourceVersion}`;
    for (let index = 0; index < count; index += 1) {
      const response = await fetch(`${url}?${query}`, { signal: end.signal });
      if (response.body === null) throw new Error("a watch without a body");
      // It ends by being aborted.
      void watchers.#read(response.body).catch(() => {});
    }
    const first = newObject();
    const seen = watchers.allSee(first.metadata.name);
    await post(url, first);
    await seen;
    return watchers;
  }

  /** Resolves when every watcher has been told of the object. @throws if that takes too long */
  async allSee(name: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#expected.set(name, { missing: this.#count, resolve });
    });
    const end = new AbortController();
    const late = sleep(PATIENCE, undefined, { signal: end.signal }).then(
      () => Promise.reject(new Error(`${this.#expected.get(name)?.missing} watchers did not see ${name}`)),
      () => {},
    );
    await Promise.race([seen, late]);
    end.abort();
    this.#expected.delete(name);
  }

  close(): Promise<void> {
    this.#end.abort();
    return sleep(100);
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of body) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#note(line);
    }
  }

  #note(line: string): void {
    if (line.trim() === "") return;
    const { object } = JSON.parse(line) as { readonly object: Parcel };
    const expected = this.#expected.get(object.metadata.name);
    if (expected === undefined) return;
    expected.missing -= 1;
    if (expected.missing === 0) expected.resolve();
  }
}
