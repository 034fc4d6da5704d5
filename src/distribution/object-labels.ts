import { isLabelValue } from "../resources/index.ts";

/** Labels that the objects of content have. Those whose value would be no legal label are left out. */
export const LABELS = {
  repository: "content.entrepot.dev/repository",
  tag: "content.entrepot.dev/tag",
  mediaType: "content.entrepot.dev/media-type",
  artifactType: "content.entrepot.dev/artifact-type",
} as const;

/** What the labels are made of. */
export interface LabelSource {
  /** The name that the repository has as an object. */
  readonly repository: string;
  readonly tag?: string;
  readonly mediaType?: string;
  readonly artifactType?: string | null;
}

/** The labels of an object. */
export function labelsOf({ repository, tag, mediaType, artifactType }: LabelSource): Readonly<Record<string, string>> {
  const values: readonly (readonly [key: string, value: string | null | undefined])[] = [
    [LABELS.repository, repositoryLabel(repository)],
    [LABELS.tag, tag],
    [LABELS.mediaType, typeLabel(mediaType)],
    [LABELS.artifactType, typeLabel(artifactType)],
  ];
  return Object.fromEntries(
    values.flatMap(([key, value]) => (value && isLabelValue(value) ? [[key, value] as const] : [])),
  );
}

/** `app:web` as `app..web`: legal in a label, and no repository's name has two dots, so it stands for one only. */
function repositoryLabel(name: string): string {
  return name.replaceAll(":", "..");
}

/** The name that a repository of this label has as an object. */
export function repositoryOfLabel(label: string): string {
  return label.replaceAll("..", ":");
}

/** A media type with dots for what a label cannot hold: `application.vnd.oci.image.index.v1.json`. */
function typeLabel(mediaType: string | null | undefined): string | undefined {
  return mediaType?.replaceAll(/[^A-Za-z0-9_.-]+/g, ".");
}
