import type { View } from './connection/view.ts';

/** What a page that embeds the console learns of it. No names and no secrets: any page in `frameAncestors` gets it. */
export interface EmbedderMessage {
  readonly porthole: 'open' | 'ended' | 'error';
  /** Why a console ended: the close code of the relay. */
  readonly code?: string;
}

/** Returns a function that tells the embedding page about changes, each once. `post` is undefined outside of frames. */
export function createEmbedderNotifier(
  post: ((message: EmbedderMessage) => void) | undefined,
): (view: Pick<View, 'state' | 'closeCode'>) => void {
  let told: string | undefined;
  return ({ state, closeCode }) => {
    const porthole = state === 'open' ? 'open' : state === 'ended' ? endOf(closeCode) : undefined;
    if (!post || porthole === undefined || porthole === told) {
      // A console that comes back is told again.
      if (state !== 'ended' && state !== 'open') told = undefined;
      return;
    }
    told = porthole;
    post({
      porthole,
      ...(closeCode === undefined || porthole === 'open' ? {} : { code: String(closeCode) }),
    });
  };
}

/** 1000, 4408 and 4410 are the ends that a user or a limit brings. Others, and none, are errors. */
const ends: ReadonlySet<number> = new Set([1000, 4408, 4410, 4423]);

function endOf(closeCode: number | undefined): 'ended' | 'error' {
  return closeCode !== undefined && ends.has(closeCode) ? 'ended' : 'error';
}
