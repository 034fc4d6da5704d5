import * as z from "zod";

/** A text with a length and a check that zod runs and JSON Schema cannot say. */
export function checkedText(maximum: number, problemOf: (text: string) => string | undefined): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maximum)
    .superRefine((text, context) => {
      const problem = problemOf(text);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    });
}
