import type { Answer } from '../../api.ts';

/** What the page shows the broker instead of a sign-in; undefined where somebody is signed in. */
export type EmbedTokenSource = () => Promise<Answer<string | undefined>>;

export interface EmbedTokenPorts {
  /** The page's address behind the #. */
  readonly hash: string;
  /**
   * The state of the page's entry in the history: a reload finds it again, also in a frame of another site, where
   * browsers keep pages from storing anything.
   */
  readonly stored: unknown;
  /** Keeps it there, and takes the code out of the address: it counts once, and a copied address should not hold it. */
  store(pass: string | undefined): void;
  redeemEmbedCode(code: string): Promise<Answer<{ readonly pass: string }>>;
}

/** A page that a program opened for somebody brings a code in its address, and gets a pass for it. */
export function createEmbedTokenSource(ports: EmbedTokenPorts): EmbedTokenSource {
  const code = new URLSearchParams(ports.hash.replace(/^#/, '')).get('code');
  if (code === null) {
    const value = typeof ports.stored === 'string' ? ports.stored : undefined;
    return async () => ({ ok: true, value });
  }
  ports.store(undefined);
  let held: Promise<Answer<string>> | undefined;
  const exchange = async (): Promise<Answer<string>> => {
    const answer = await ports.redeemEmbedCode(code);
    if (!answer.ok) return answer;
    ports.store(answer.value.pass);
    return { ok: true, value: answer.value.pass };
  };
  return async () => {
    held ??= exchange();
    const answer = await held;
    // The broker did not answer: the code still counts.
    if (!answer.ok && answer.problem.code === 'network') held = undefined;
    return answer;
  };
}
