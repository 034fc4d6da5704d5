import * as z from "zod";
import type { AdmissionAttributes, KindRegistration } from "../kinds/group-builder.ts";
import type { StatusCause } from "../status-error.ts";
import { sameJson } from "../objects/object-pipeline.ts";

/** Longest key, in characters. @see kubernetes/apimachinery, IsConfigMapKey */
const MAX_KEY = 253;
const KEY = /^[-._a-zA-Z0-9]+$/;

const fields = z.object({
  data: z.record(z.string(), z.string()).optional().describe("Texts by their keys."),
  binaryData: z
    .record(z.string(), z.string().meta({ format: "byte" }))
    .optional()
    .describe("Bytes by their keys, in base64. No key may be in `data` too."),
  immutable: z.boolean().optional().describe("Whether the data can no longer be changed, nor this be taken back."),
});

type ConfigMapFields = z.infer<typeof fields>;

/** Settings that programs read. @see Kubernetes API, ConfigMap */
export const CONFIG_MAP: KindRegistration = {
  declaration: {
    kind: "ConfigMap",
    plural: "configmaps",
    shortNames: ["cm"],
    scope: "Namespaced",
    description: "Settings for programs to read. Everyone who may read the namespace reads them: no place for secrets.",
    fields,
    columns: [
      { name: "Immutable", type: "boolean", jsonPath: ".immutable", description: "Whether it is fixed.", priority: 1 },
    ],
  },
};

/** What is wrong with a ConfigMap beyond its schema. @see kubernetes/kubernetes, ValidateConfigMapUpdate */
export function checkConfigMap({ object, oldObject, operation }: AdmissionAttributes): StatusCause[] {
  if (operation === "DELETE") return [];
  const { data = {}, binaryData = {}, immutable = false } = object as unknown as ConfigMapFields;
  const keys = [
    ...Object.keys(data).map((key) => ({ key, field: `data[${key}]` })),
    ...Object.keys(binaryData).map((key) => ({ key, field: `binaryData[${key}]` })),
  ];
  const causes = keys.filter(({ key }) => !isKey(key)).map(({ key, field }) => wrongKey(key, field));
  for (const key of Object.keys(binaryData)) {
    if (Object.hasOwn(data, key)) {
      causes.push({ reason: "FieldValueInvalid", field: `binaryData[${key}]`, message: "duplicate of a key in data" });
    }
  }
  const before = oldObject as unknown as ConfigMapFields | undefined;
  if (before?.immutable === true) {
    const isSame = immutable && sameJson(data, before.data ?? {}) && sameJson(binaryData, before.binaryData ?? {});
    if (!isSame)
      causes.push({
        reason: "FieldValueForbidden",
        field: "data",
        message: "field is immutable when `immutable` is set",
      });
  }
  return causes;
}

function isKey(key: string): boolean {
  return key.length <= MAX_KEY && KEY.test(key) && key !== "." && !key.startsWith("..");
}

function wrongKey(key: string, field: string): StatusCause {
  const message = `Invalid value: ${JSON.stringify(key.slice(0, MAX_KEY))}: a valid config key consists of letters, digits, '-', '_' or '.'`;
  return { reason: "FieldValueInvalid", field, message };
}
