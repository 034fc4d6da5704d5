import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../kinds/kind.ts";
import type { ManagedFieldsEntry } from "../objects/object.ts";
import { type Managed, recordUpdate, type UpdateRecord } from "./managed-fields.ts";

const node: SchemaNode = {
  type: "object",
  properties: {
    spec: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } } },
    status: { type: "object", properties: { phase: { type: "string" } } },
  },
};
const write = { manager: "kubectl-create", apiVersion: "sync.example.dev/v1", time: "2026-01-01T00:00:00Z", node };

const created = {
  apiVersion: "sync.example.dev/v1",
  kind: "SyncTask",
  metadata: { name: "a", namespace: "n", uid: "u", generation: 1, labels: { x: "1" } },
  spec: { a: "1", b: "2" },
};

/** Records the write and returns the object with its entries. */
function written<T extends Managed>(record: Omit<UpdateRecord, "node" | "apiVersion"> & { readonly next: T }): T {
  const managedFields = recordUpdate({ ...write, ...record });
  return { ...record.next, metadata: { ...record.next.metadata, managedFields } };
}

const first = written({ ...write, previous: undefined, next: created });

describe("recordUpdate", () => {
  it("gives everything to the creator, but what is the server's", () => {
    expect(first.metadata).toHaveProperty("managedFields", [
      {
        manager: "kubectl-create",
        operation: "Update",
        apiVersion: "sync.example.dev/v1",
        time: "2026-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": { "f:labels": { ".": {}, "f:x": {} } },
          "f:spec": { ".": {}, "f:a": {}, "f:b": {} },
        },
      },
    ]);
  });

  it("moves what changed, and drops what is gone", () => {
    const next = { ...first, spec: { a: "9" } };
    const entries = recordUpdate({ ...write, previous: first, next, manager: "edit", time: "2026-01-02T00:00:00Z" });
    expect(entries.map(({ manager, time, fieldsV1 }) => ({ manager, time, fieldsV1 }))).toEqual([
      {
        manager: "kubectl-create",
        time: "2026-01-01T00:00:00Z",
        fieldsV1: { "f:metadata": { "f:labels": { ".": {}, "f:x": {} } }, "f:spec": {} },
      },
      { manager: "edit", time: "2026-01-02T00:00:00Z", fieldsV1: { "f:spec": { "f:a": {} } } },
    ]);
  });

  it("does not touch the time of who changes nothing", () => {
    const entries = recordUpdate({ ...write, previous: first, next: first, time: "2027-01-01T00:00:00Z" });
    expect(entries).toEqual(recordUpdate({ ...write, previous: undefined, next: created }));
    const removed = { ...first, spec: { a: "1" } };
    expect(recordUpdate({ ...write, previous: first, next: removed, time: "2027-01-01T00:00:00Z" })[0]?.time).toBe(
      write.time,
    );
  });

  it("keeps status apart", () => {
    const next = { ...first, status: { phase: "Ready" } };
    expect(recordUpdate({ ...write, previous: first, next })).toHaveLength(1);
    const entries = recordUpdate({ ...write, previous: first, next, manager: "controller", subresource: "status" });
    expect(entries.find(({ manager }) => manager === "controller")).toMatchObject({
      subresource: "status",
      fieldsV1: { "f:status": { ".": {}, "f:phase": {} } },
    });
    const plain = recordUpdate({ ...write, previous: first, next, manager: "controller", hasStatus: false });
    expect(plain.find(({ manager }) => manager === "controller")?.fieldsV1).toHaveProperty("f:status");
  });

  it("lets a client rewrite entries, keeps those left out or broken, and resets on request", () => {
    const [entry] = recordUpdate({ ...write, previous: undefined, next: created });
    const migrated = [{ ...entry, manager: "kubectl", operation: "Apply" }] as unknown as ManagedFieldsEntry[];
    const withEntries = (managedFields: unknown) =>
      ({ ...first, metadata: { ...first.metadata, managedFields } }) as Managed;
    const manage = (managedFields: unknown) =>
      recordUpdate({ ...write, previous: first, next: withEntries(managedFields) });
    expect(manage(migrated)).toEqual(migrated);
    expect(manage(undefined)).toEqual([entry]);
    expect(manage([])).toEqual([entry]);
    expect(manage([{ manager: 1 }])).toEqual([entry]);
    expect(manage([{ ...entry, fieldsV1: { bad: {} } }])).toEqual([entry]);
    expect(manage([{}])).toEqual([]);
    const untracked = withEntries(undefined);
    expect(recordUpdate({ ...write, previous: untracked, next: { ...untracked, metadata: {} } })).toEqual([]);
  });

  it("merges the oldest of more than ten", () => {
    let object: Managed = created;
    for (let index = 0; index < 13; index += 1) {
      const labels = { ...object.metadata.labels, [`l${index}`]: "1" };
      const next = { ...object, metadata: { ...object.metadata, labels } };
      const time = `2026-01-01T00:00:${String(10 + index)}Z`;
      object = written({ previous: index === 0 ? undefined : object, next, manager: `m${index}`, time });
    }
    const entries = object.metadata.managedFields ?? [];
    expect(entries).toHaveLength(10);
    expect(entries[0]).toMatchObject({ manager: "ancient-changes", time: "2026-01-01T00:00:13Z" });
    expect(entries[0]?.fieldsV1["f:metadata"]?.["f:labels"]).toMatchObject({ "f:l0": {}, "f:l3": {} });
  });
});
