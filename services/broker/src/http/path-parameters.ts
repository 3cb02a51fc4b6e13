import type { Context } from './context.ts';

/** Returns the parameters in the path of a matched route, such as `:id`. */
export function pathParameters(ctx: Context): Readonly<Record<string, string | undefined>> {
  // The router adds `params` to the context, whose type does not know it.
  return ctx['params'] as Readonly<Record<string, string | undefined>>;
}
