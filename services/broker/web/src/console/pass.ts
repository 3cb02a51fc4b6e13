import type { Answer } from '../api.ts';

/** What the page shows the broker instead of a sign-in; undefined where somebody is signed in. */
export type Pass = () => Promise<Answer<string | undefined>>;

export interface PassPorts {
  /** The page's address behind the #. */
  readonly hash: string;
  /** Takes the code out of the address: it counts once, and a copied address should not hold it. */
  forgetHash(): void;
  /** Of this tab: a reload finds the pass again. */
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly key: string;
  handover(code: string): Promise<Answer<{ readonly pass: string }>>;
}

/** A page that a program opened for somebody brings a code in its address, and gets a pass for it. */
export function createPass(ports: PassPorts): Pass {
  const code = new URLSearchParams(ports.hash.replace(/^#/, '')).get('code');
  if (code === null) {
    const kept = read(ports);
    return async () => ({ ok: true, value: kept });
  }
  ports.forgetHash();
  let held: Promise<Answer<string>> | undefined;
  const exchange = async (): Promise<Answer<string>> => {
    const answer = await ports.handover(code);
    if (!answer.ok) return answer;
    write(ports, answer.value.pass);
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

/** Browsers may keep a frame of another site from storing anything. */
function read({ storage, key }: PassPorts): string | undefined {
  try {
    return storage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write({ storage, key }: PassPorts, pass: string): void {
  try {
    storage.setItem(key, pass);
  } catch {
    // Then a reload needs a new link.
  }
}
