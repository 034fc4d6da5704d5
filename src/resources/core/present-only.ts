import { forwarding } from "../forwarding.ts";
import type { FullStorage, Storage } from "../storage.ts";

/** The storage of a kind whose past is not kept: there is nothing to restore. */
export function presentOnly(general: FullStorage): Required<Storage> {
  const present: Partial<FullStorage> & Required<Storage> = { ...forwarding(general) };
  delete present.restore;
  return present;
}
