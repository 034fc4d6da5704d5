import type { Clock, Result } from "../../platform/index.ts";
import {
  badRequest,
  type Connecter,
  ignoring,
  notFound,
  type ObjectRef,
  type ResourceClient,
  StatusError,
} from "../../resources/index.ts";
import { timestamp, withConditions } from "./condition.ts";
import { LOCAL_REGISTRY, NOTIFICATION_CHANNELS, REGISTRIES, SYNC_API_VERSION } from "./names.ts";
import type { AccessFailure, ChannelTester, RegistryAccess, RegistryTest } from "./ports.ts";
import type { RegistrySpec, RegistryStatus } from "./registry.ts";

/** Names that one answer lists at the most. */
const MAX_NAMES = 10_000;

/** What the subresources of registries and channels work with. */
export interface RegistryConnecterPorts {
  /** Asked for when it is needed, not before: it may be made after the group. */
  readonly client: () => ResourceClient;
  readonly clock: Clock;
  readonly registries: RegistryAccess;
  readonly channels: ChannelTester;
}

/** `POST …/test`, `GET …/projects` and `GET …/repositories?project=` of a registry. */
export function registryConnecters({ client, clock, registries }: RegistryConnecterPorts): Connecter[] {
  /** The namespace of a registry that is there. @throws {StatusError} NotFound */
  async function requireRegistry(ref: ObjectRef): Promise<string> {
    const { namespace, name } = ref;
    const isThere = name === LOCAL_REGISTRY || (await client().find(REGISTRIES, ref)) !== undefined;
    if (namespace === undefined || !isThere) throw notFound(REGISTRIES, name);
    return namespace;
  }

  async function remember(ref: ObjectRef, test: RegistryTest): Promise<void> {
    const now = clock();
    await client()
      .updateStatus<RegistrySpec, RegistryStatus>(REGISTRIES, ref, ({ status, metadata }) =>
        testedStatus(status, test, metadata.generation, now),
      )
      .catch(ignoring("NotFound"));
  }

  return [
    {
      subresource: "test",
      description: 'Signs in to the registry: `{"ok": true, "message": "…"}`. The status keeps what came of it.',
      methods: ["POST"],
      async connect(_context, target) {
        const test = await registries.test(await requireRegistry(target), target.name);
        await remember(target, test);
        return Response.json({ kind: "RegistryTest", apiVersion: SYNC_API_VERSION, ...test });
      },
    },
    {
      subresource: "projects",
      description: "Names of the registry's projects, organisations or first path components.",
      methods: ["GET"],
      async connect(_context, target) {
        return listed(await registries.projects(await requireRegistry(target), target.name));
      },
    },
    {
      subresource: "repositories",
      description: "Names of the registry's repositories, or of those of `?project=`.",
      methods: ["GET"],
      async connect(_context, target, request) {
        const project = new URL(request.url).searchParams.get("project") ?? "";
        if (project.length > 255) throw badRequest("project: must be no more than 255 characters");
        const options = { limit: MAX_NAMES, ...(project === "" ? {} : { project }) };
        return listed(await registries.repositories(await requireRegistry(target), target.name, options));
      },
    },
  ];
}

/** `POST …/test` of a channel. */
export function channelConnecters({ client, channels }: RegistryConnecterPorts): Connecter[] {
  return [
    {
      subresource: "test",
      description: 'Sends a message that says that it is a test: `{"ok": true, "message": "…"}`.',
      methods: ["POST"],
      async connect(_context, { namespace, name }) {
        const channel = await client().find(NOTIFICATION_CHANNELS, { namespace, name });
        if (namespace === undefined || channel === undefined) throw notFound(NOTIFICATION_CHANNELS, name);
        const test = await channels.test(namespace, name);
        return Response.json({ kind: "ChannelTest", apiVersion: SYNC_API_VERSION, ...test });
      },
    },
  ];
}

/** The status of a registry after a test. */
export function testedStatus(
  before: RegistryStatus | undefined,
  { ok, message, capabilities }: RegistryTest,
  generation: number,
  now: number,
): RegistryStatus {
  const condition = {
    type: "Ready",
    status: ok ? ("True" as const) : ("False" as const),
    reason: ok ? "Reached" : "TestFailed",
    message,
    observedGeneration: generation,
  };
  return {
    ...before,
    conditions: withConditions(before?.conditions, [condition], now),
    checkedAt: timestamp(now),
    message,
    ...(capabilities === undefined ? {} : { capabilities: { ...capabilities } }),
  };
}

/** @throws {StatusError} ServiceUnavailable */
function listed(names: Result<readonly string[], AccessFailure>): Response {
  if (!names.ok) throw new StatusError("ServiceUnavailable", names.error.message);
  return Response.json({ items: names.value.slice(0, MAX_NAMES), truncated: names.value.length > MAX_NAMES });
}
