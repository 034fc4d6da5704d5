import * as z from "zod";
import type { AdmissionAttributes, GroupBuilder, KindRegistration } from "../kinds/group-builder.ts";
import type { PrinterColumn } from "../kinds/kind.ts";
import type { StatusCause } from "../status-error.ts";
import type { FullStorage } from "../storage/storage.ts";
import { EVENTS_GROUP, eventsView } from "./events-view.ts";

export const EVENTS = { group: "", plural: "events" } as const;

const text = (description: string) => z.string().nullable().optional().describe(description);
const time = (description: string) =>
  z.string().meta({ format: "date-time" }).nullable().optional().describe(description);
const count = z.int().nullable().optional().describe("How often it happened, as far as that was counted.");

const reference = z.object({
  apiVersion: text("Group and version."),
  kind: text("Kind."),
  namespace: text("Namespace; empty for objects of the whole cluster."),
  name: text("Name."),
  uid: text("Identity."),
  resourceVersion: text("Which version of the object it is about."),
  fieldPath: text("Which part of the object it is about."),
});
const source = z.object({ component: text("The program."), host: text("The machine.") });
const series = z.object({
  count: z.int().nullable().optional().describe("How often it happened."),
  lastObservedTime: time("When it last happened."),
});

/** What both shapes have under the same names. */
const common = {
  eventTime: time("When it first happened, with microseconds."),
  series: series.nullable().optional().describe("What is known of an event that goes on."),
  action: text("What was done."),
  reason: text("Why, as one word for programs."),
  related: reference.nullable().optional().describe("Another object that has to do with it."),
  type: text("`Normal` or `Warning`."),
  reportingInstance: text("Which instance of the program."),
};

const coreFields = z.object({
  ...common,
  involvedObject: reference.describe("The object that it is about."),
  message: text("What happened, for people."),
  source: source.nullable().optional().describe("Who noticed it."),
  firstTimestamp: time("When it first happened."),
  lastTimestamp: time("When it last happened."),
  count,
  reportingComponent: text("The program."),
});

const viewFields = z.object({
  ...common,
  regarding: reference.optional().describe("The object that it is about."),
  note: text("What happened, for people."),
  reportingController: text("The program."),
  deprecatedSource: source.nullable().optional().describe("Who noticed it."),
  deprecatedFirstTimestamp: time("When it first happened."),
  deprecatedLastTimestamp: time("When it last happened."),
  deprecatedCount: count,
});

const REFERENCE_FIELDS = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

function columnsOf(object: string, message: string, last: string): readonly PrinterColumn[] {
  return [
    { name: "Last Seen", type: "date", jsonPath: last, description: "When it last happened." },
    { name: "Type", type: "string", jsonPath: ".type", description: "Normal or Warning." },
    { name: "Reason", type: "string", jsonPath: ".reason", description: "Why." },
    { name: "Kind", type: "string", jsonPath: `${object}.kind`, description: "Kind of the object that it is about." },
    { name: "Object", type: "string", jsonPath: `${object}.name`, description: "Name of the object that it is about." },
    { name: "Message", type: "string", jsonPath: message, description: "What happened." },
  ];
}

const NAMES = {
  kind: "Event",
  plural: EVENTS.plural,
  shortNames: ["ev"],
  scope: "Namespaced",
  description: "Something that happened to an object, as a program reports it. Kept for an hour.",
  history: false,
} as const;

/** Events as the core group has them, and a group that shows the same ones in the newer shape. @see Kubernetes API, Event */
export function eventKinds(): { readonly core: KindRegistration; readonly group: GroupBuilder } {
  let stored: FullStorage | undefined;
  const core: KindRegistration = {
    declaration: {
      ...NAMES,
      fields: coreFields,
      selectableFields: [
        ...REFERENCE_FIELDS.map((field) => `.involvedObject.${field}`),
        ".reason",
        ".reportingComponent",
        ".type",
      ],
      columns: columnsOf(".involvedObject", ".message", ".lastTimestamp"),
    },
    hooks(general) {
      stored = general;
      // Of its past nothing is kept.
      return { refuse: ["restore"] };
    },
  };
  const group: GroupBuilder = {
    group: EVENTS_GROUP,
    versions: ["v1"],
    kinds: [
      {
        declaration: {
          ...NAMES,
          fields: viewFields,
          selectableFields: [
            ...REFERENCE_FIELDS.map((field) => `.regarding.${field}`),
            ".reason",
            ".reportingController",
            ".type",
          ],
          columns: columnsOf(".regarding", ".note", ".eventTime"),
        },
        storage() {
          if (stored === undefined) throw new Error(`group ${EVENTS_GROUP}: the core group comes first`);
          return eventsView(stored);
        },
      },
    ],
  };
  return { core, group };
}

/** What is wrong with an event: it is where the object is that it is about. @see kubernetes/kubernetes, ValidateEventCreate */
export function checkEvent({ object, namespace, operation }: AdmissionAttributes): StatusCause[] {
  if (operation !== "CREATE") return [];
  const { involvedObject } = object as unknown as z.infer<typeof coreFields>;
  const of = involvedObject.namespace ?? "";
  if (of === "" || of === namespace) return [];
  const message = `Invalid value: ${JSON.stringify(of)}: does not match event.namespace`;
  return [{ reason: "FieldValueInvalid", field: "involvedObject.namespace", message }];
}
