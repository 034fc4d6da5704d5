import type { Identity, Writer } from "../../access/index.ts";
import { specAuthorOf, type UseRule, writerOf } from "../../resources/index.ts";
import { LOCAL_REGISTRY, NOTIFICATION_CHANNELS, REGISTRIES } from "./names.ts";
import type { SyncTask } from "./sync-task.ts";
import { type LocalUse, localUses } from "./task-rules.ts";

/**
 * What a task may do, which is what its writer may do now: whoever wrote its spec last, not whoever labelled or began
 * it. Asked whenever something is done in the task's name.
 */
export interface WriterRights {
  /** Why a task may not run, for people; `undefined` if it may. */
  refusal(task: SyncTask): Promise<string | undefined>;
  /** Why a channel may not be told about its runs; `undefined` if it may. */
  channelRefusal(task: SyncTask, channel: string): Promise<string | undefined>;
}

/** What asking works with. */
export interface WriterRightsPorts {
  /** Someone who wrote something earlier, with what they hold now; `undefined` if there is no such account. */
  readonly standing: (writer: Writer) => Promise<Identity | undefined>;
  /** Asked for when it is needed, not before: it may be made after this. */
  readonly use: () => Pick<UseRule, "refusal">;
  readonly mayCopy: MayCopy;
}

/** Whether someone may pull from or push to every repository of a namespace of this registry, or of all. */
export type MayCopy = (identity: Identity, verb: "pull" | "push", namespace: string | undefined) => boolean;

export function createWriterRights({ standing, use, mayCopy }: WriterRightsPorts): WriterRights {
  async function asked(task: SyncTask, ask: (writer: Identity) => Promise<string | undefined>) {
    const author = specAuthorOf(task);
    if (author === undefined) return "nobody knows who wrote its spec: change it, and it is yours";
    const writer = await standing(writerOf(author));
    if (writer === undefined) return `its writer, ${author.name}, has no account here any more, or a disabled one`;
    const why = await ask(writer);
    return why === undefined ? undefined : `its writer, ${author.name}: ${why.replaceAll(/\byou\b/g, "they")}`;
  }

  const place = ({ metadata: { namespace = "" } }: SyncTask) => namespace;

  return {
    refusal: (task) =>
      asked(task, async (writer) => {
        const { spec } = task;
        if (spec === undefined) return undefined;
        for (const name of new Set([spec.source.registry, ...spec.targets.map(({ registry }) => registry)])) {
          if (name === LOCAL_REGISTRY) continue;
          const why = await use().refusal(writer, { ...REGISTRIES, namespace: place(task), name });
          if (why !== undefined) return why;
        }
        const refused = localUses(spec).find(({ verb, namespace }) => !mayCopy(writer, verb, namespace));
        return refused === undefined ? undefined : `you may not ${copyText(refused)}`;
      }),
    channelRefusal: (task, name) =>
      asked(task, (writer) => use().refusal(writer, { ...NOTIFICATION_CHANNELS, namespace: place(task), name })),
  };
}

/** What a task would do in this registry, for people. */
export function copyText({ verb, namespace }: Pick<LocalUse, "verb" | "namespace">): string {
  const what = namespace === undefined ? "every namespace" : `the namespace ${JSON.stringify(namespace)}`;
  return `${verb} in ${what} of this registry`;
}
