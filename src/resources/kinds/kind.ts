import type { z } from "zod";
import type { StatusCause } from "../status-error.ts";

/** A column of `kubectl get`. @see Kubernetes API, CustomResourceColumnDefinition */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** Where the value is, as `.spec.schedule`; a list index or `[?(@.type=="Ready")]` may follow a field. */
  readonly jsonPath: string;
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown; higher ones with `-o wide`. */
  readonly priority?: number;
}

/** A rule over an object, in CEL. @see Kubernetes, x-kubernetes-validations */
export interface ValidationRule {
  /** True if the object is good; `self` is the node, `oldSelf` what it was. */
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired" | "FieldValueDuplicate";
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/**
 * Says that a field names an object that whoever acts on this one uses: a text, or an object with `name` and, if it may
 * be elsewhere, `namespace`.
 */
export interface UsedKind {
  /** `<plural>.<group>`, or the plural alone of a kind in the same group. */
  readonly resource: string;
  /** Names that stand for something which is no object and has no secret. */
  readonly except?: readonly string[];
}

/**
 * A node of a structural schema: JSON Schema as OpenAPI 3.0 writes it, with Kubernetes' extensions.
 * @see Kubernetes, "Specifying a structural schema"
 */
export interface SchemaNode {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly nullable?: boolean;
  /** May be written and is in no answer: whoever keeps objects of the kind takes it out, and so do those that embed them. */
  readonly writeOnly?: boolean;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean | number;
  readonly exclusiveMaximum?: boolean | number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly not?: SchemaNode;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
  readonly "x-entrepot-uses"?: UsedKind;
}

/** How a kind is called. */
export interface KindNames {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  /** Kind of a list of objects. */
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

/** Where an object keeps how many of something there are to be, and are: paths as `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string | undefined;
}

/** Group, version and kind. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/**
 * A kind as code declares it: one zod schema for what is wanted, one for what is, and how to show it. From it come
 * validation, defaults, pruning, OpenAPI, columns and forms.
 */
export interface KindDeclaration<Spec extends z.ZodType = z.ZodType, Status extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly plural: string;
  /** The kind in lower case, unless given. */
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
  /** One sentence for `kubectl explain`. */
  readonly description: string;
  /** What is wanted. A kind has this or `fields`. */
  readonly spec?: Spec;
  /** What the object has beside its metadata, of a kind of Kubernetes that has no spec. */
  readonly fields?: z.ZodObject;
  /** A kind with a status has the subresource `status`. */
  readonly status?: Status;
  readonly columns?: readonly PrinterColumn[];
  /** Fields that a field selector may name besides `metadata.name` and `metadata.namespace`, as `.spec.source`. */
  readonly selectableFields?: readonly string[];
  readonly validations?: readonly ValidationRule[];
  /** Of what changes all the time, only the latest change is kept, and no history. */
  readonly history?: false;
  /** What is wrong with a name; a subdomain of DNS unless given. */
  readonly checkName?: (name: string) => readonly StatusCause[];
}

/** A kind as the API serves it, whether declared in code or at run time. */
export interface ServedKind extends KindNames {
  readonly group: string;
  readonly version: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly description: string;
  /** The whole object: `apiVersion`, `kind`, `metadata`, and what the kind itself has. */
  readonly schema: SchemaNode;
  readonly columns: readonly PrinterColumn[];
  readonly selectableFields: readonly string[];
  readonly hasStatus: boolean;
  /** Of what changes all the time, only the latest change is kept, and no history. */
  readonly history?: false;
  /** The same of the kind's other versions: what one version does not know may be in an object nevertheless. */
  readonly otherSchemas?: readonly SchemaNode[];
  /** Where the counts of `scale` are; without, the kind has no such subresource. */
  readonly scale?: ScalePaths;
  /** What is wrong with a name; a subdomain of DNS unless given. */
  readonly checkName?: (name: string) => readonly StatusCause[];
  /** Checks beyond the schema; paths as in `StatusCause.field`. */
  readonly refine?: (object: unknown) => readonly { readonly field: string; readonly message: string }[];
}

/** `group/version`, or the version alone in the core group. */
export function apiVersionOf(kind: { readonly group: string; readonly version: string }): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** The group and the version of an `apiVersion`. */
export function splitApiVersion(apiVersion: string): readonly [group: string, version: string] {
  const slash = apiVersion.lastIndexOf("/");
  return [apiVersion.slice(0, Math.max(0, slash)), apiVersion.slice(slash + 1)];
}
