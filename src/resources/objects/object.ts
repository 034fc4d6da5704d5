/** Which field belongs to whom. @see Kubernetes API, ManagedFieldsEntry */
export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** RFC 3339, whole seconds. */
  readonly time: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: FieldsV1;
  readonly subresource?: string;
}

/** A set of paths: `f:<field>`, `k:<keys>`, `v:<value>`, and `.` for the node itself, each with the set below it. */
export interface FieldsV1 {
  readonly [path: string]: FieldsV1;
}

/** Who this object belongs to: it goes when the last of its owners has gone. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** What every object has. @see Kubernetes API conventions, "Metadata" */
export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string;
  readonly uid: string;
  /** A decimal number as text. */
  readonly resourceVersion: string;
  /** Counts changes of what is wanted, not of status or metadata. */
  readonly generation: number;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

/** Any value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** An object of some kind, as clients see it. */
export interface ResourceObject<Spec = unknown, Status = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: Spec;
  readonly status?: Status;
}

/** An object as a client sends it: the server fills in what is missing. */
export interface ResourceInput<Spec = unknown, Status = unknown> extends Omit<
  ResourceObject<Spec, Status>,
  "metadata"
> {
  readonly metadata: Partial<ObjectMeta>;
}
