import type { Answer } from '../../api.ts';

/** Returns the token that the page sends to the broker in place of a sign-in; `undefined` for a signed-in user. */
export type EmbedTokenSource = () => Promise<Answer<string | undefined>>;

export interface EmbedTokenPorts {
  /** The fragment of the page's address. */
  readonly hash: string;
  /**
   * The token that `store` kept in the history entry. It survives a reload, also in a frame of another site, where
   * browsers deny pages any other storage.
   */
  readonly stored: unknown;
  /** Keeps the token, and removes the code from the address: the code works once and must not be copied along. */
  store(token: string | undefined): void;
  redeemEmbedCode(code: string): Promise<Answer<{ readonly token: string }>>;
}

/** For a page that a program opened for its user: redeems the code in the address for an embed token, once. */
export function createEmbedTokenSource(ports: EmbedTokenPorts): EmbedTokenSource {
  const code = new URLSearchParams(ports.hash.replace(/^#/, '')).get('code');
  if (code === null) {
    const value = typeof ports.stored === 'string' ? ports.stored : undefined;
    return async () => ({ ok: true, value });
  }
  ports.store(undefined);
  let redeemed: Promise<Answer<string>> | undefined;
  const redeem = async (): Promise<Answer<string>> => {
    const answer = await ports.redeemEmbedCode(code);
    if (!answer.ok) return answer;
    ports.store(answer.value.token);
    return { ok: true, value: answer.value.token };
  };
  return async () => {
    redeemed ??= redeem();
    const answer = await redeemed;
    // Without an answer from the broker, the code is still valid.
    if (!answer.ok && answer.problem.code === 'network') redeemed = undefined;
    return answer;
  };
}
