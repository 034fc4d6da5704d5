export { ResourceDirectory, type DirectoryPorts } from "./directory.ts";
export { DirectoryStore } from "./directory-store.ts";
export { iamGroup, type IamGroupPorts } from "./iam-group.ts";
export { decidesAccess } from "./names.ts";
export { mayActAsBy, type MayActAs } from "./acting.ts";
export { displayAuthorizer, displayRoute } from "./display.ts";
export { serviceAccountKind } from "./service-account.ts";
export { ownAccountAuthorizer } from "./tokens.ts";
export { userKind, type UserPorts } from "./user.ts";
