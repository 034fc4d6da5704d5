import type { SchemaNode, ServedKind } from "../kinds/kind.ts";
import type { ResourceInput } from "../objects/object.ts";
import { prune } from "../schema/prune.ts";
import { isRecord, type JsonRecord, own } from "../schema/values.ts";
import { LAST_APPLIED } from "../patch/last-applied.ts";
import { repetitions } from "./repetitions.ts";
import { invalid, type StatusCause } from "../status-error.ts";
import { hasWriteOnly, someNode, type TakenField, withoutWriteOnly } from "./write-only-fields.ts";

/** Says on an embedded object which of its fields were given and are not kept. */
export const WITHHELD = "platform.entrepot.dev/withheld";

/** The schema of a kind; `undefined` if there is no such kind. */
export type SchemaLookup = (apiVersion: string, kind: string) => Promise<SchemaNode | undefined>;

/**
 * Takes out of an object what is write-only in the objects that it embeds (`x-kubernetes-embedded-resource`), such as
 * the value of a SecureValue in an App, and out of the notes that `kubectl apply` leaves: before it is stored, so that
 * it is in no row, event, history or answer.
 * @throws {StatusError} Invalid, if an annotation or a label repeats it
 */
export type Withhold = (kind: ServedKind, input: ResourceInput) => Promise<ResourceInput>;

export function createWithhold(lookup: SchemaLookup): Withhold {
  return async function withhold(kind, input) {
    if (!embeds(kind.schema)) return input;
    const taken: TakenField[] = [];
    const causes: StatusCause[] = [];
    const object = (await cleaned(input, kind.schema)) as unknown as ResourceInput;
    causes.push(...repeated(object.metadata, taken));
    if (causes.length > 0) throw invalid(kind, input.metadata.name ?? "", causes);
    return object;

    /** An object of a kind, with all that it embeds. */
    async function cleaned(value: object, schema: SchemaNode): Promise<JsonRecord> {
      const { metadata, ...rest } = value as JsonRecord;
      const fields = (await walked(rest, schema)) as JsonRecord;
      return { ...fields, ...(metadata === undefined ? {} : { metadata: await withoutNote(metadata, schema) }) };
    }

    async function walked(value: unknown, node: SchemaNode): Promise<unknown> {
      if (Array.isArray(value)) {
        const { items } = node;
        return items === undefined ? value : Promise.all(value.map((element) => walked(element, items)));
      }
      if (!isRecord(value)) return value;
      if (node["x-kubernetes-embedded-resource"] === true) return embedded(value);
      const { properties, additionalProperties } = node;
      const entries = Object.entries(value).map(async ([key, part]): Promise<[string, unknown]> => {
        const child =
          own(properties, key) ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
        return [key, child === undefined ? part : await walked(part, child)];
      });
      return Object.fromEntries(await Promise.all(entries));
    }

    async function embedded(value: JsonRecord): Promise<unknown> {
      const { apiVersion, kind: name } = value;
      const schema =
        typeof apiVersion === "string" && typeof name === "string" ? await lookup(apiVersion, name) : undefined;
      if (schema === undefined) return value;
      if (!hasWriteOnly(schema)) return embeds(schema) ? cleaned(value, schema) : value;
      const own: TakenField[] = [];
      // A field that is not known may be the one that is write-only, misspelt.
      const bare = withoutWriteOnly(prune(value, schema), schema, own) as JsonRecord;
      taken.push(...own);
      const { metadata } = await cleaned(bare, schema);
      causes.push(...repeated(metadata, own));
      return isRecord(metadata) ? { ...bare, metadata: marked(metadata, own) } : bare;
    }

    /** The note of `kubectl apply`, without what it must not say. What cannot be read cannot be cleaned, and goes. */
    async function withoutNote(metadata: unknown, schema: SchemaNode): Promise<unknown> {
      const annotations = isRecord(metadata) ? metadata["annotations"] : undefined;
      if (!isRecord(metadata) || !isRecord(annotations) || !Object.hasOwn(annotations, LAST_APPLIED)) return metadata;
      const note = await cleanedNote(annotations[LAST_APPLIED], schema);
      return { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: note } };
    }

    async function cleanedNote(note: unknown, schema: SchemaNode): Promise<string> {
      const noted = parsed(note);
      if (!isRecord(noted)) return "{}";
      const bare = withoutWriteOnly(prune(noted, schema), schema, []) as JsonRecord;
      return `${JSON.stringify(await cleaned(bare, schema))}\n`;
    }
  };
}

const embedding = new WeakMap<SchemaNode, boolean>();

function embeds(schema: SchemaNode): boolean {
  const answer =
    embedding.get(schema) ?? someNode(schema, (node) => node["x-kubernetes-embedded-resource"] === true, 0);
  embedding.set(schema, answer);
  return answer;
}

function marked(metadata: JsonRecord, taken: readonly TakenField[]): JsonRecord {
  const { annotations = {} } = metadata;
  if (taken.length === 0 || !isRecord(annotations)) return metadata;
  return { ...metadata, annotations: { ...annotations, [WITHHELD]: taken.map(({ field }) => field).join(",") } };
}

/** The annotations and labels that repeat what was taken. */
function repeated(metadata: unknown, taken: readonly TakenField[]): StatusCause[] {
  if (!isRecord(metadata)) return [];
  return taken.flatMap(({ field: secret, value }) =>
    (typeof value === "string" ? repetitions(metadata, value) : []).map((field): StatusCause => {
      const message = `Forbidden: repeats ${secret} of an embedded object, which must stay secret`;
      return { reason: "FieldValueForbidden", field, message };
    }),
  );
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
