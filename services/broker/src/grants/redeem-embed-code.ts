import { z } from 'zod';
import { addressKey } from '@porthole/shared/http/address-key';
import type { RateLimits } from '@porthole/shared/store/ports';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { Passes } from '../sign-in/passes.ts';

const wish = z.strictObject({ code: z.string().max(64) });
const perMinute = 1200;

/** POST /api/v1/handover: the page that a program opened gives its code and gets its pass. Once. */
export function redeemEmbedCode(deps: { readonly passes: Passes; readonly rateLimits: RateLimits }): Step {
  return async (ctx) => {
    ctx.state.route = 'handover';
    await deps.rateLimits.spend(`handover/${addressKey(ctx.ip)}`, perMinute, 60);
    const parsed = wish.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { pass, facts } = await deps.passes.exchange(parsed.data.code);
    ctx.state.user = facts.user;
    ctx.body = { pass };
  };
}
