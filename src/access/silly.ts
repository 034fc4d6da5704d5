import { parseBasic } from "./basic.ts";
import { GROUPS, type Principal } from "./identity.ts";

/**
 * Whoever sends an `Authorization` header may do everything, whatever it says: `ACCESS=silly`, for tests of clients.
 * @see Distribution, "Configuration", auth.silly
 */
export function sillyPrincipal(authorization: string): Principal {
  const name = parseBasic(authorization)?.username;
  return {
    name: name === undefined || name === "" ? "silly" : name,
    groups: [GROUPS.masters],
    credential: { type: "password" },
    vouched: true,
  };
}
