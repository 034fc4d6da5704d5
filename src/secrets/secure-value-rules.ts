import { repetitions, type ResourceInput, type StatusCause } from "../resources/index.ts";
import { SECURE_VALUE_LIMITS, type SecureValueSpec } from "./kinds.ts";
import type { Taken } from "./write-only.ts";
import { SYSTEM_KEEPER } from "./names.ts";

/** What a SecureValue asks its keeper for. */
export interface Wanted {
  readonly keeper: string;
  readonly ref: string | undefined;
  readonly value: string | undefined;
}

/** What is wanted of the keeper; to be used after `secureValueCauses` found nothing. */
export function wantedOf({ object, value }: Taken): Wanted {
  const spec = (object.spec ?? {}) as SecureValueSpec;
  return {
    keeper: spec.keeper ?? SYSTEM_KEEPER,
    ref: spec.ref,
    value: typeof value === "string" ? value : undefined,
  };
}

/**
 * What is wrong with a SecureValue beyond its schema. Messages never quote the value.
 * @param kept whether there is a value already, which stays if none is given
 */
export function secureValueCauses(taken: Taken, kept: boolean): StatusCause[] {
  const { object, value } = taken;
  const causes: StatusCause[] = [];
  const refuse = (reason: StatusCause["reason"], field: string, message: string): void => {
    causes.push({ reason, field, message });
  };
  if (value !== undefined) {
    const message = valueProblem(value);
    if (message !== undefined) refuse("FieldValueInvalid", "spec.value", message);
    else if (typeof value === "string") {
      for (const field of repetitions(object.metadata, value)) {
        refuse("FieldValueForbidden", field, "Forbidden: repeats spec.value, which must stay secret");
      }
    }
  }
  const { ref, keeper } = wantedOf(taken);
  if (value !== undefined && ref !== undefined) {
    refuse("FieldValueForbidden", "spec.ref", "Forbidden: exactly one of value and ref may be given");
  } else if (value === undefined && ref === undefined && !kept) {
    refuse("FieldValueRequired", "spec.value", "Required value: exactly one of value and ref must be given");
  } else if (keeper === SYSTEM_KEEPER && ref !== undefined) {
    refuse("FieldValueForbidden", "spec.ref", "Forbidden: the keeper `system` keeps values itself; ref is for others");
  } else if (keeper !== SYSTEM_KEEPER && ref === undefined) {
    refuse(
      "FieldValueForbidden",
      "spec.value",
      `Forbidden: the keeper ${JSON.stringify(keeper)} is only read; give a ref`,
    );
  }
  causes.push(...duplicates(object));
  return causes;
}

function valueProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "Invalid value: must be a string";
  const bytes = new TextEncoder().encode(value).byteLength;
  if (bytes === 0) return "Invalid value: must not be empty";
  if (bytes > SECURE_VALUE_LIMITS.valueBytes) {
    return `Too long: may not be more than ${SECURE_VALUE_LIMITS.valueBytes} bytes, and is ${bytes}`;
  }
  // Would come back as another text than was stored.
  return value.isWellFormed() ? undefined : "Invalid value: not a sequence of Unicode characters";
}

function duplicates({ spec }: ResourceInput): StatusCause[] {
  const { decrypters } = (spec ?? {}) as { readonly decrypters?: unknown };
  if (!Array.isArray(decrypters)) return [];
  return decrypters.flatMap((service: unknown, index): StatusCause[] =>
    decrypters.indexOf(service) === index
      ? []
      : [
          {
            reason: "FieldValueDuplicate",
            field: `spec.decrypters[${index}]`,
            message: `Duplicate value: ${JSON.stringify(service)}`,
          },
        ],
  );
}
