import { namespaceOf, parseRepositoryName, type RepositoryName } from "../../oci/index.ts";
import { type Content } from "../../content/index.ts";
import {
  type Registry,
  type RegistryCapabilities,
  RegistryError,
  type SourceRepository,
  type TargetRepository,
} from "../../mirror/index.ts";
import { attempted } from "./content-error.ts";
import { localReading } from "./local-reading.ts";
import { localWriting } from "./local-writing.ts";

/** What the local registry works with. */
export interface LocalRegistryPorts {
  readonly content: Pick<Content, "blobs" | "manifests" | "names" | "uploads">;
  /** As the configuration calls it. */
  readonly name: string;
  /** Nothing may be pushed or deleted. */
  readonly readOnly: boolean;
  /** Whether a namespace may be read from or written to. */
  readonly mayUse: (verb: "pull" | "push", namespace: string) => boolean;
  /** Told before each call. */
  readonly onCall?: () => void;
}

/** Stands for scheme, host and port: nothing else has it, and all local repositories do, so that blobs are mounted. */
export const LOCAL_ORIGIN = "local:";

const PAGE = 1000;

/**
 * Largest layer that is written in one go, in bytes: as large as a part of those that are not, so that an interruption
 * never costs more than one of them.
 */
const WHOLE_BLOB = 64 * 1024 * 1024;

const CAPABILITIES: RegistryCapabilities = {
  catalog: true,
  chunks: true,
  sparse: false,
  referrers: true,
  deleteManifests: true,
  deleteTags: true,
};

/** This registry as a source and a target: by calls to the content kernel, with the checks of a pull and a push. */
export function createLocalRegistry(ports: LocalRegistryPorts): Registry {
  const { content, mayUse, onCall = () => {} } = ports;

  /** @throws RegistryError "denied", "refused" */
  function checked(text: string, verb: "pull" | "push"): RepositoryName {
    onCall();
    const name = parseRepositoryName(text);
    if (name === undefined) throw new RegistryError("refused", `this registry: ${text} is not a legal repository name`);
    const namespace = namespaceOf(name);
    if (!mayUse(verb, namespace)) {
      const message = `this registry: the task may not ${verb} in the namespace ${namespace}, where ${name} is`;
      throw new RegistryError("denied", message);
    }
    if (verb === "push" && ports.readOnly) throw new RegistryError("denied", "this registry is read-only");
    return name;
  }

  async function* names(prefix: string): AsyncIterable<readonly RepositoryName[]> {
    let after = prefix;
    for (;;) {
      const from = after;
      onCall();
      const page = await attempted("listing repositories", () =>
        content.names.repositories({ after: from, limit: PAGE }),
      );
      const within = page.names.filter((name) => name.startsWith(prefix));
      const visible = within.filter((name) => mayUse("pull", namespaceOf(name)));
      if (visible.length > 0) yield visible;
      const last = page.names.at(-1);
      if (!page.more || last === undefined || within.length < page.names.length) return;
      after = last;
    }
  }

  return {
    name: ports.name,
    origin: LOCAL_ORIGIN,
    direct: { wholeBlob: WHOLE_BLOB },
    capabilities: () => CAPABILITIES,
    repository(text, access) {
      // What the task may not do is said when it is done: a plan that is not allowed is a list of failures.
      const place = () => checked(text, access);
      const reading: SourceRepository = localReading(text, place, content);
      const writing = localWriting(place, {
        content,
        mayRead: (name) => mayUse("pull", namespaceOf(name)) || mayUse("push", namespaceOf(name)),
      });
      return { ...reading, ...writing } satisfies TargetRepository;
    },
    repositories: (project) => names(project === undefined || project === "" ? "" : `${project}/`),
    async projects() {
      const found = new Set<string>();
      for await (const page of names("")) for (const name of page) found.add(namespaceOf(name));
      return [...found].sort();
    },
    check: async () => {},
    prepare: async () => {},
  };
}
