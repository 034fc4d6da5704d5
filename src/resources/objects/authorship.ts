import type { CredentialUse, Identity, Writer } from "../../access/index.ts";
import type { ObjectMeta, ResourceObject } from "./object.ts";
import { isRecord } from "../schema/values.ts";

/** What a client says of a change. It stays with that change. */
export const MESSAGE = "entrepot.dev/message";

/** Annotations by which the server says whose an object is. What a client sends under these names is dropped. */
const SERVERS = {
  createdBy: "entrepot.dev/created-by",
  createdWith: "entrepot.dev/created-with",
  updatedBy: "entrepot.dev/updated-by",
  updatedWith: "entrepot.dev/updated-with",
  updatedAt: "entrepot.dev/updated-at",
  /** Only if the latest change left the spec alone and was somebody else's. Empty if nobody knows. */
  specBy: "entrepot.dev/spec-by",
  specWith: "entrepot.dev/spec-with",
} as const;

const SERVERS_NAMES: ReadonlySet<string> = new Set(Object.values(SERVERS));

/** Credentials whose id is for everyone who may read the object; those of passwords are made of the password. */
const SHOWN_IDS: ReadonlySet<CredentialUse["type"]> = new Set(["api-key", "session", "token", "federated"]);

/** Anything with metadata. */
interface WithMetadata {
  readonly metadata: Partial<ObjectMeta>;
}

type Annotations = Readonly<Record<string, string>>;

/** Whose change it is. */
export interface Author {
  /** As roles and audit name it. */
  readonly name: string;
  /** The kind of the credential, what finds it again, and who named its owner: `api-key 0198… (laptop) via corp`. */
  readonly credential: string;
}

/** A change to be signed. */
export interface Change {
  /** Absent on creation. */
  readonly previous: ResourceObject | undefined;
  readonly identity: Identity;
  /** RFC 3339, whole seconds. */
  readonly time: string;
}

/** Of what a client sent, the annotations that are its to set. What is no map is for validation to refuse. */
export function clientAnnotations(given: Partial<ObjectMeta>): Pick<Partial<ObjectMeta>, "annotations"> {
  return selected(given, (name) => !SERVERS_NAMES.has(name));
}

/** The same of an object that replaces another, with those that the server keeps of it. */
export function nextAnnotations(
  { annotations: current = {} }: Partial<ObjectMeta>,
  given: Partial<ObjectMeta>,
): Pick<Partial<ObjectMeta>, "annotations"> {
  const kept = Object.entries(current).filter(([name]) => SERVERS_NAMES.has(name));
  const own = clientAnnotations(given);
  const { annotations = {} } = own;
  if (kept.length === 0 || !isRecord(annotations)) return own;
  return { annotations: { ...annotations, ...Object.fromEntries(kept) } };
}

/** The object without all of this, as managers of fields share it among them. */
export function withoutAuthorship<T extends WithMetadata>(object: T): T {
  return withAnnotations(object, (name) => !SERVERS_NAMES.has(name) && name !== MESSAGE);
}

/** The object with what the server says of the present one, and what a client says of a change to it. */
export function withAuthorship<T extends WithMetadata>(
  object: T,
  current: WithMetadata | undefined,
  said: WithMetadata,
): T {
  const metadata = { ...object.metadata, ...nextAnnotations(current?.metadata ?? {}, object.metadata) };
  return withMessageOf({ ...object, metadata }, said);
}

/** The object without what was said of its latest change, which is not said of the next. */
export function withoutMessage<T extends WithMetadata>(object: T): T {
  return withAnnotations(object, (name) => name !== MESSAGE);
}

/** An object that replaces another, without what was said of the change before if it only repeats it. */
export function withoutRepeated<T extends WithMetadata>(next: T, current: WithMetadata): T {
  return messageOf(next) === messageOf(current) ? withoutMessage(next) : next;
}

/** The object with the message of another. */
function withMessageOf<T extends WithMetadata>(object: T, other: WithMetadata): T {
  const message = messageOf(other);
  if (message === undefined) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [MESSAGE]: message } },
  };
}

/**
 * The object as a change to it leaves it: with who made it, with which credential and when. What the platform does to
 * metadata on its own, such as letting go of an owner that is gone, is nobody's change.
 */
export function signed(object: ResourceObject, { previous, identity, time }: Change): ResourceObject {
  const isNewSpec = previous === undefined || previous.metadata.generation !== object.metadata.generation;
  const isDeletion = object.metadata.deletionTimestamp !== previous?.metadata.deletionTimestamp;
  const isUpkeep = identity.credential.type === "internal" && !isNewSpec && !isDeletion;
  if (isUpkeep) return withMessageOf(object, previous);
  const author = { name: identity.name, credential: describe(identity) };
  const { [SERVERS.specBy]: _by, [SERVERS.specWith]: _with, ...annotations } = object.metadata.annotations ?? {};
  const created =
    previous === undefined ? { [SERVERS.createdBy]: author.name, [SERVERS.createdWith]: author.credential } : {};
  const updated = {
    [SERVERS.updatedBy]: author.name,
    [SERVERS.updatedWith]: author.credential,
    [SERVERS.updatedAt]: time,
  };
  const ofSpec = isNewSpec ? {} : specAuthor(previous, author);
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, ...created, ...updated, ...ofSpec } },
  };
}

/** Who wrote what is wanted of an object: its spec, whoever changed labels since. `undefined` if nobody knows. */
export function specAuthorOf({ metadata: { annotations = {} } }: ResourceObject): Author | undefined {
  const isOther = Object.hasOwn(annotations, SERVERS.specBy);
  const name = annotations[isOther ? SERVERS.specBy : SERVERS.updatedBy] ?? "";
  const credential = annotations[isOther ? SERVERS.specWith : SERVERS.updatedWith] ?? "";
  return name === "" ? undefined : { name, credential };
}

/** What is noted of the spec's author when somebody changes the rest. */
function specAuthor(previous: ResourceObject, author: Author): Annotations {
  const { name = "", credential = "" } = specAuthorOf(previous) ?? {};
  if (name === author.name && credential === author.credential) return {};
  return { [SERVERS.specBy]: name, [SERVERS.specWith]: credential };
}

function messageOf({ metadata: { annotations } }: WithMetadata): string | undefined {
  return annotations?.[MESSAGE];
}

function describe({ credential: { type, id, name }, issuer }: Identity): string {
  const shown = id === undefined || !SHOWN_IDS.has(type) ? type : `${type} ${id}`;
  const named = name === undefined ? shown : `${shown} (${name})`;
  return issuer === undefined ? named : `${named} via ${issuer}`;
}

/**
 * The author of a spec, for the question what they may do now. Whoever calls their key so that it looks as if another
 * party had named them has less by it, never more.
 */
export function writerOf({ name, credential }: Author): Writer {
  const [type = "none"] = credential.split(" ");
  return { name, credential: type as CredentialUse["type"], isNamedElsewhere: / via \S/.test(credential) };
}

function withAnnotations<T extends WithMetadata>(object: T, isKept: (name: string) => boolean): T {
  const { annotations: _all, ...rest } = object.metadata;
  return { ...object, metadata: { ...rest, ...selected(object.metadata, isKept) } };
}

/** Those of the annotations that are kept; none at all, rather than an empty map, if the others were all there is. */
function selected(
  { annotations }: Partial<ObjectMeta>,
  isKept: (name: string) => boolean,
): Pick<Partial<ObjectMeta>, "annotations"> {
  // Some clients write null for nothing.
  if (annotations === undefined || annotations === null) return {};
  if (!isRecord(annotations)) return { annotations };
  const entries = Object.entries(annotations);
  const kept = entries.filter(([name]) => isKept(name));
  if (kept.length === entries.length) return { annotations };
  return kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
}
