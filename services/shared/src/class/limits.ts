/** Limits of what instructors and members write, in characters. Apart, because pages use them without a schema library. */
export const classLimits = { text: 500, helpText: 160, name: 128 } as const;
