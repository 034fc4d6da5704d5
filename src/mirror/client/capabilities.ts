import type { RegistryCapabilities } from "../registry.ts";
import type { RegistryType } from "./registry-type.ts";

const DISTRIBUTION: RegistryCapabilities = {
  catalog: true,
  chunks: true,
  sparse: false,
  referrers: true,
  deleteManifests: true,
  deleteTags: true,
};

/** What is known beforehand. Where a product may or may not, trying is left to the client, which lowers what is refused. */
const BY_TYPE: Readonly<Record<RegistryType, RegistryCapabilities>> = {
  generic: DISTRIBUTION,
  entrepot: DISTRIBUTION,
  harbor: DISTRIBUTION,
  quay: DISTRIBUTION,
  acr: DISTRIBUTION,
  // Lists of Docker Hub and deletions there are made by another API, with other tokens.
  "docker-hub": { ...DISTRIBUTION, deleteManifests: false, deleteTags: false },
  ghcr: {
    catalog: false,
    chunks: false,
    sparse: false,
    referrers: false,
    deleteManifests: false,
    deleteTags: false,
  },
  // Parts of a layer have a least size there that is not announced.
  ecr: { ...DISTRIBUTION, chunks: false },
  // "You must use monolithic uploads." @see Artifact Registry, "Push and pull images"
  "artifact-registry": { ...DISTRIBUTION, chunks: false },
  gitlab: { ...DISTRIBUTION, catalog: false, referrers: false },
};

/** What a registry can, as known now. */
export interface LearnedCapabilities {
  current(): RegistryCapabilities;
  /** The registry turned out not to do this. */
  lower(capability: keyof RegistryCapabilities): void;
}

/** Starts from what is known of the type, and forgets what is refused. */
export function learnCapabilities(type: RegistryType): LearnedCapabilities {
  let known = BY_TYPE[type];
  return {
    current: () => known,
    lower(capability) {
      known = { ...known, [capability]: false };
    },
  };
}
