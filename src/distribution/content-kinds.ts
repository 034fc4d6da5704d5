import * as z from "zod";
import type { KindDeclaration } from "../resources/index.ts";

export const CONTENT_GROUP = "content.entrepot.dev";
export const CONTENT_VERSION = "v1";

const repository = z.string().describe("Full name of the repository, as clients pull it: `team-a/app`.");
const pushedAt = z.string().describe("The latest push, RFC 3339.");
const digest = z.string().describe("Digest of the manifest.");

/** What manifests and the tags that name them have in common. */
const manifestFields = {
  repository,
  digest,
  mediaType: z.string().describe("Media type of the manifest."),
  artifactType: z
    .string()
    .optional()
    .describe("What the manifest is of: its `artifactType`, or for an image the media type of its config."),
  subject: z.string().optional().describe("Digest of the manifest that this one refers to."),
  size: z.int().describe("Bytes of the manifest itself."),
  bytes: z
    .int()
    .describe("Bytes of the manifest and of all that it names, each digest once; of an index, its images too."),
  annotations: z
    .record(z.string(), z.string())
    .optional()
    .describe("Annotations of the manifest, unless they are longer than 8,192 characters."),
};

const repositorySpec = z.object({
  repository,
  tags: z.int().describe("How many tags it has."),
  manifests: z.int().describe("How many manifests it holds."),
  bytes: z.int().describe("Bytes of all that it holds, each digest once."),
  pushedAt,
});

const tagSpec = z.object({
  ...manifestFields,
  tag: z.string().describe("The tag."),
  pushedAt: z.string().describe("When the tag was last pushed, RFC 3339."),
});

const manifestSpec = z.object({
  ...manifestFields,
  tags: z.int().describe("How many tags name it."),
  pushedAt,
});

export type RepositorySpec = z.infer<typeof repositorySpec>;
export type TagSpec = z.infer<typeof tagSpec>;
export type ManifestSpec = z.infer<typeof manifestSpec>;

export const repositoryKind: KindDeclaration<typeof repositorySpec> = {
  kind: "Repository",
  plural: "repositories",
  singular: "repository",
  shortNames: ["repo", "repos"],
  categories: ["content"],
  scope: "Namespaced",
  description:
    "A repository that holds a manifest. Its name is the path below the namespace, with `:` for `/`. Made by a push; read-only.",
  spec: repositorySpec,
  columns: [
    { name: "Tags", type: "integer", jsonPath: ".spec.tags" },
    { name: "Manifests", type: "integer", jsonPath: ".spec.manifests" },
    { name: "Size", type: "integer", jsonPath: ".spec.bytes", description: "Bytes of all that it holds." },
    { name: "Pushed", type: "date", jsonPath: ".spec.pushedAt", description: "How long ago the latest push was." },
    { name: "Repository", type: "string", jsonPath: ".spec.repository", priority: 1 },
  ],
  selectableFields: [".spec.repository"],
};

export const tagKind: KindDeclaration<typeof tagSpec> = {
  kind: "Tag",
  plural: "tags",
  scope: "Namespaced",
  categories: ["content"],
  description:
    "A tag, and the manifest that it names. Its name is `<repository>:<tag>`. Made by a push; deleting it leaves the manifest.",
  spec: tagSpec,
  columns: [
    { name: "Digest", type: "string", jsonPath: ".spec.digest" },
    { name: "Size", type: "integer", jsonPath: ".spec.bytes", description: "Bytes of all that it names." },
    { name: "Media type", type: "string", jsonPath: ".spec.mediaType", priority: 1 },
    { name: "Artifact type", type: "string", jsonPath: ".spec.artifactType", priority: 1 },
    { name: "Repository", type: "string", jsonPath: ".spec.repository", priority: 1 },
  ],
  selectableFields: [".spec.repository", ".spec.tag", ".spec.digest", ".spec.mediaType", ".spec.artifactType"],
};

export const manifestKind: KindDeclaration<typeof manifestSpec> = {
  kind: "Manifest",
  plural: "manifests",
  scope: "Namespaced",
  categories: ["content"],
  description:
    "A manifest of a repository. Its name is `<repository>@<digest>`. Made by a push; deleting it deletes its tags.",
  spec: manifestSpec,
  columns: [
    { name: "Media type", type: "string", jsonPath: ".spec.mediaType" },
    { name: "Tags", type: "integer", jsonPath: ".spec.tags" },
    { name: "Size", type: "integer", jsonPath: ".spec.bytes", description: "Bytes of all that it names." },
    { name: "Artifact type", type: "string", jsonPath: ".spec.artifactType", priority: 1 },
    { name: "Subject", type: "string", jsonPath: ".spec.subject", priority: 1 },
    { name: "Repository", type: "string", jsonPath: ".spec.repository", priority: 1 },
  ],
  selectableFields: [".spec.repository", ".spec.digest", ".spec.mediaType", ".spec.artifactType", ".spec.subject"],
};
