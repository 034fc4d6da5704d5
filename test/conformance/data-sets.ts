import { gzipSync } from "node:zlib";
import {
  type Algorithm,
  blob,
  type CommonFields,
  content,
  type Content,
  descriptor,
  type Descriptor,
  imageIndex,
  imageManifest,
  jsonBytes,
  type ManifestContent,
  MEDIA,
  uniqueBytes,
} from "./data.ts";

/** Content that is pushed, listed, pulled and deleted as a whole. */
export interface DataSet {
  readonly blobs: readonly Content[];
  /** In an order in which a registry that checks references takes them. */
  readonly manifests: readonly ManifestContent[];
  readonly tags: ReadonlyMap<string, ManifestContent>;
  /** Tags go with the push by digest, as `?tag=` (end-7b). */
  readonly tagParameters?: boolean;
}

/** How an image is made. */
interface ImageRecipe extends CommonFields {
  readonly layers?: number;
  readonly compressed?: boolean;
  readonly architecture?: string;
  /** Descriptors carry the content as well. @see image-spec, descriptor.md, field `data` */
  readonly embed?: boolean;
}

const PLATFORMS = ["amd64", "arm64"] as const;
const ANNOTATIONS = { "org.example.conformance": "annotated" };

/** Collects one data set. */
class DataSetBuilder {
  readonly blobs: Content[] = [];
  readonly manifests: ManifestContent[] = [];
  readonly tags = new Map<string, ManifestContent>();

  blob(added: Content, embed = false): Descriptor {
    if (!this.blobs.some((known) => known.digest === added.digest)) this.blobs.push(added);
    return embed ? { ...descriptor(added), data: Buffer.from(added.bytes).toString("base64") } : descriptor(added);
  }

  image(recipe: ImageRecipe = {}): ManifestContent {
    const { layers = 2, compressed = true, architecture = "amd64", embed = false, algorithm } = recipe;
    const archives = Array.from({ length: layers }, () => uniqueBytes(1024));
    const descriptors = archives.map((archive) =>
      this.blob(
        compressed ? content(gzipSync(archive), MEDIA.layerGzip, algorithm) : content(archive, MEDIA.layer, algorithm),
        embed,
      ),
    );
    const diffs = archives.map((archive) => content(archive, MEDIA.layer, algorithm).digest);
    const config = { os: "linux", architecture, rootfs: { type: "layers", diff_ids: diffs }, ...recipe.extra };
    const configured = this.blob(content(jsonBytes(config), MEDIA.config, algorithm), embed);
    return this.manifest(imageManifest(configured, descriptors, recipe));
  }

  artifact(artifactType: string, recipe: CommonFields & { readonly layer?: Content } = {}): ManifestContent {
    const config = this.blob(content(new TextEncoder().encode("{}"), MEDIA.empty));
    const layer = this.blob(recipe.layer ?? blob(700, "sha256", artifactType));
    return this.manifest(imageManifest(config, [layer], { ...recipe, artifactType }));
  }

  index(children: readonly ManifestContent[], fields: CommonFields = {}): ManifestContent {
    return this.manifest(imageIndex(children.map(descriptor), fields));
  }

  /** An index with an image for each platform. */
  platforms(recipe: ImageRecipe = {}): ManifestContent {
    const children = PLATFORMS.map((architecture) => ({
      ...descriptor(this.image({ ...recipe, architecture })),
      platform: { os: "linux", architecture },
    }));
    return this.manifest(imageIndex(children, recipe));
  }

  /** An index of artifacts for each platform. */
  artifactPlatforms(fields: CommonFields = {}): ManifestContent {
    const children = PLATFORMS.map(() => this.artifact(MEDIA.example1));
    return this.index(children, { ...fields, artifactType: MEDIA.example1 });
  }

  manifest(added: ManifestContent): ManifestContent {
    this.manifests.push(added);
    return added;
  }

  tag(name: string, manifest: ManifestContent): void {
    this.tags.set(name, manifest);
  }
}

type Recipe = (set: DataSetBuilder) => void;

/** A third of the layers can be fetched from the registry. @see image-spec, layer.md, "Non-Distributable Layers" */
function nonDistributable(set: DataSetBuilder): void {
  const absent = ["tar+gzip", "tar"].map((form): Descriptor => {
    const layer = blob(256, "sha256", `application/vnd.oci.image.layer.nondistributable.v1.${form}`);
    return { ...descriptor(layer), urls: [`https://store.example.com/${layer.digest}`] };
  });
  const present = set.blob(blob(256, "sha256", MEDIA.layerGzip));
  const config = set.blob(content(jsonBytes({ os: "linux", architecture: "amd64", absent: 2 }), MEDIA.config));
  set.tag("nondistributable", set.manifest(imageManifest(config, [...absent, present])));
}

function tagParameters(algorithm: Algorithm): Recipe {
  return (set) => {
    const name = `tag-param-${algorithm}`;
    set.tag(name, set.platforms({ algorithm }));
    // The index has two tags, each of its images one.
    for (const [position, manifest] of set.manifests.entries()) set.tag(`${name}-${position}`, manifest);
  };
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  image: (set) => set.tag("image", set.image()),
  "image-uncompressed": (set) => set.tag("uncompressed", set.image({ compressed: false })),
  "large-manifest": (set) => {
    // 3.9 MB: less than the 4 MiB that registries should take at least.
    const entries = Array.from({ length: 390 }, (_, position) => [`large-${position}`, "A".repeat(10_000)]);
    set.tag("large", set.image({ annotations: Object.fromEntries(entries) as Record<string, string> }));
  },
  index: (set) => set.tag("index", set.platforms()),
  "nested-index": (set) => set.tag("nested", set.index([set.platforms(), set.platforms()])),
  "empty-index": (set) => set.tag("empty", set.index([])),
  artifact: (set) => set.tag("artifact", set.artifact(MEDIA.example1)),
  "artifact-index": (set) => set.tag("artifact-index", set.artifactPlatforms()),
  "artifact-without-layers": (set) => {
    const layer = content(new TextEncoder().encode("{}"), MEDIA.empty);
    set.tag("no-content", set.artifact(MEDIA.example1, { layer }));
  },
  "artifacts-with-subject": (set) => {
    const image = set.image();
    const subject = descriptor(image);
    set.tag("image", image);
    set.image({ subject });
    set.tag("artifact-1", set.artifact(MEDIA.example1, { subject, annotations: { ...ANNOTATIONS, unique: "1" } }));
    set.tag("artifact-2", set.artifact(MEDIA.example2, { subject, annotations: { ...ANNOTATIONS, unique: "2" } }));
  },
  "index-with-subject": (set) => {
    const index = set.platforms();
    set.tag("index", index);
    set.tag("artifact", set.artifactPlatforms({ subject: descriptor(index), annotations: ANNOTATIONS }));
  },
  "missing-subject": (set) => {
    const subject = { ...descriptor(blob(123)), mediaType: MEDIA.manifest };
    set.tag("artifact", set.artifact(MEDIA.example1, { subject, annotations: ANNOTATIONS }));
  },
  "data-field": (set) => set.tag("data-field", set.image({ embed: true })),
  "non-distributable-layers": nonDistributable,
  "custom-fields": (set) => set.tag("custom", set.platforms({ extra: { "org.example.unknown": { deep: [1, null] } } })),
  "no-layers": (set) => set.tag("no-layers", set.image({ layers: 0 })),
  sha512: (set) => {
    set.platforms({ algorithm: "sha512" });
  },
  "tag-param-sha256": tagParameters("sha256"),
  "tag-param-sha512": tagParameters("sha512"),
};

/** The data sets of the OCI conformance suite that a registry takes whole, by the suite's names. */
export const DATA_SET_NAMES = Object.keys(RECIPES);

/** Makes a data set; every call makes other content. */
export function dataSet(name: string): DataSet {
  const set = new DataSetBuilder();
  RECIPES[name]?.(set);
  const { blobs, manifests, tags } = set;
  return { blobs, manifests, tags, tagParameters: name.startsWith("tag-param") };
}
