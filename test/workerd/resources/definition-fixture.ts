import type { ResourceInput } from "../../../src/resources/index.ts";
import { newGroup, PLATFORM, type PlatformOptions, requestContext, resourcePlatform } from "./fixture.ts";

const widget = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        size: { type: "integer", minimum: 1, default: 3 },
        title: { type: "string" },
      },
      "x-kubernetes-validations": [{ rule: "self.size <= 100", message: "too big" }],
    },
    status: { type: "object", properties: { phase: { type: "string" } } },
  },
};

/** A `ResourceDefinition` of widgets. */
export function widgets(group: string, schema: object = widget, more: object = {}): ResourceInput {
  return {
    apiVersion: `${PLATFORM}/v1`,
    kind: "ResourceDefinition",
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Widget", plural: "widgets" },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } },
      ],
      ...more,
    },
  };
}

export function widgetObject(name: string, spec: object = {}, metadata: object = {}): ResourceInput {
  return { apiVersion: "", kind: "Widget", metadata: { name, ...metadata }, spec };
}

/** The schema of widgets, with other fields of `spec`. */
export function withSpec(properties: object, required: readonly string[] = []) {
  return { type: "object", properties: { spec: { type: "object", properties, required } } };
}

/** A platform whose kinds are defined at run time. */
export async function definitions(options: PlatformOptions = {}) {
  const platform = resourcePlatform(options);
  const group = newGroup();
  const context = requestContext();
  const storage = await platform.storage(PLATFORM, "resourcedefinitions");
  return {
    ...platform,
    group,
    definitions: storage,
    define: (definition: ResourceInput = widgets(group)) => storage.create(context, undefined, definition),
    widgets: () => platform.storage(group, "widgets"),
  };
}
