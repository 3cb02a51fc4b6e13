import { z } from 'zod';
import { addressKey } from '@porthole/shared/http/address-key';
import type { RateLimits } from '@porthole/shared/store/ports';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { EmbedTokens } from '../sign-in/embed-tokens.ts';

const requestBody = z.strictObject({ code: z.string().max(64) });
const perMinute = 1200;

/** POST /api/v1/embed-tokens: exchanges the one-time code of an embedded page for its embed token. */
export function redeemEmbedCode(deps: {
  readonly embedTokens: Pick<EmbedTokens, 'redeemCode'>;
  readonly rateLimits: RateLimits;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'embed_tokens';
    await deps.rateLimits.spend(`embed-tokens/${addressKey(ctx.ip)}`, perMinute, 60);
    const parsed = requestBody.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { token, data } = await deps.embedTokens.redeemCode(parsed.data.code);
    ctx.state.user = data.user;
    ctx.body = { token };
  };
}
