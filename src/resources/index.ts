export {
  type AuthorizationAttributes,
  type AuthorizationDecision,
  type Authorizer,
  authorizerChain,
  roleAuthorizer,
  scopeAuthorizer,
  systemAuthorizer,
} from "./authorizer.ts";
export { type Author, specAuthorOf, writerOf } from "./objects/authorship.ts";
export type { ClientQuery, KindKey, ResourceClient } from "./client.ts";
export { createResources, type ResourcePorts, type Resources } from "./compose.ts";
export { type ContinueToken, decodeContinue, encodeContinue } from "./storage/continue-token.ts";
export { repetitions } from "./embedded/index.ts";
export { type FieldRequirement, matchesFields } from "./selectors/field-selector.ts";
export type { AdmissionAttributes, GroupBuilder, GroupRoute, KindRegistration } from "./kinds/group-builder.ts";
export { WatchLimit } from "./watch/watch-limit.ts";
export { type ApiServices, resourceApi } from "./http/index.ts";
export { bodyFault, decodeBody } from "./http/body/body.ts";
export { apiVersionOf, type KindDeclaration, type PrinterColumn } from "./kinds/kind.ts";
export { InProcessClient } from "./in-process-client.ts";
export { impliedMetadata, type ImpliedObjects, withImplied } from "./storage/implied-objects.ts";
export { isLabelValue, type LabelRequirement, matchesLabels } from "./selectors/label-selector.ts";
export { checkName } from "./objects/names.ts";
export { LAST_APPLIED } from "./patch/last-applied.ts";
export { applyMergePatch } from "./patch/merge-patch.ts";
export { sameJson } from "./objects/object-pipeline.ts";
export type { ObjectMeta, ResourceInput, ResourceObject } from "./objects/object.ts";
export type { ObjectRef } from "./objects/object-ref.ts";
export { type ResourceStep, resourceStepSchema } from "./upkeep/resource-maintenance.ts";
export { groupAuthorizer } from "./kinds/resource-registry.ts";
export { ResourceStore } from "./storage/resource-store.ts";
export { serveKind } from "./schema/serve-kind.ts";
export { isRecord } from "./schema/values.ts";
export { badRequest, conflict, ignoring, invalid, notFound, type StatusCause, StatusError } from "./status-error.ts";
export type {
  Connecter,
  DeleteOptions,
  FullStorage,
  ListPage,
  ListQuery,
  RequestContext,
  Storage,
  Transform,
  UpdateOptions,
  WatchFrame,
  WatchQuery,
} from "./storage/storage.ts";
export {
  type BegunWrite,
  type CreateWrite,
  type Decorator,
  decorateEach,
  type HooksFactory,
  type Reader,
  type StorageHooks,
  type UpdateWrite,
} from "./storage/storage-hooks.ts";
export { type UseRule, uses } from "./use/index.ts";
export { type UsageContributor, UsageStatistics } from "./upkeep/usage.ts";
export type { UsageNumbers } from "./upkeep/usage-store.ts";
export { watchHubClass } from "./watch/watch-hub.ts";
