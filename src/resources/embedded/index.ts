export { repetitions } from "./repetitions.ts";
export { createWithhold, WITHHELD, type Withhold } from "./withhold.ts";
