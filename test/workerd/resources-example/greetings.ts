import { z } from "zod";
import type { Connecter, GroupBuilder, KindDeclaration, ResourceClient } from "../../../src/resources/index.ts";

const greetingSpec = z.object({
  text: z.string().min(1).max(200).describe("What is said."),
  language: z.enum(["en", "fr", "th"]).default("en").describe("Language of the text."),
  audience: z.array(z.string()).optional().describe("Who is greeted; everyone unless given."),
});

const greetingStatus = z.object({
  said: z.int().optional().describe("How often it was said."),
});

type GreetingSpec = z.infer<typeof greetingSpec>;
type GreetingStatus = z.infer<typeof greetingStatus>;

/** The kind, declared once. Validation, defaults, OpenAPI, `kubectl explain` and columns come from it. */
export const greetingKind: KindDeclaration<typeof greetingSpec, typeof greetingStatus> = {
  kind: "Greeting",
  plural: "greetings",
  shortNames: ["gr"],
  scope: "Namespaced",
  description: "Something to say to someone.",
  spec: greetingSpec,
  status: greetingStatus,
  columns: [
    { name: "Text", type: "string", jsonPath: ".spec.text" },
    { name: "Language", type: "string", jsonPath: ".spec.language" },
    { name: "Said", type: "integer", jsonPath: ".status.said", priority: 1 },
  ],
  selectableFields: [".spec.language"],
  validations: [{ rule: "self.spec.language != 'fr' || self.spec.text != 'Hello'", message: "Hello is not French" }],
};

const GREETINGS = { group: "greetings.example.dev", plural: greetingKind.plural };

/** The group. Group, versions and kinds are all it takes; the rest is here to be seen. */
export function greetingGroup(client: () => ResourceClient): GroupBuilder {
  return {
    group: GREETINGS.group,
    versions: ["v1"],
    kinds: [{ declaration: greetingKind, connecters: [say(client)] }],
    mutate({ object }) {
      const spec = object.spec as GreetingSpec;
      return { ...object, spec: { ...spec, text: spec.text.trim() } };
    },
    validate({ object, operation }) {
      const { audience = [] } = object.spec as GreetingSpec;
      if (operation === "DELETE" || new Set(audience).size === audience.length) return [];
      return [{ reason: "FieldValueDuplicate", field: "spec.audience", message: "nobody is greeted twice" }];
    },
  };
}

/** `POST …/greetings/<name>/say`: an endpoint below each object. */
function say(client: () => ResourceClient): Connecter {
  return {
    subresource: "say",
    description: "Says it.",
    methods: ["POST"],
    async connect(_context, { namespace, name }) {
      const greeting = await client().updateStatus<GreetingSpec, GreetingStatus>(
        GREETINGS,
        { namespace, name },
        ({ status }) => ({ said: (status?.said ?? 0) + 1 }),
      );
      return Response.json({ text: greeting.spec?.text, said: greeting.status?.said });
    },
  };
}
