export { answerBeforeRest } from "./answer-before-rest.ts";
export {
  type AuthenticationRefusal,
  authenticationRefusal,
  restAuthenticationError,
} from "./authentication-refusal.ts";
export { type BodyPace, BodyWatch, STREAM_PACE } from "./body-watch.ts";
export { type Cors, createCors } from "./cors.ts";
export {
  BODY_FAULT_STATUS,
  type BodyBounds,
  type BodyFault,
  bodyFaultMessage,
  type BodySource,
  readBody,
  readBodyText,
} from "./request-body.ts";
export { failureReporter, type ReportFailure, requestIds } from "./request-id.ts";
export { requestTargets } from "./request-target.ts";
export { type ResponseContext, strictTransport, withHeaders, withSecurityHeaders } from "./response-headers.ts";
export { restError, restFailure } from "./rest-error.ts";
export { dropRest } from "./unread-body.ts";
