import type { UserOptions } from './acl.ts';

/** The variable state of accounts: whether they can sign in, and their remaining second factors. */
export interface Accounts {
  /** The account, unless it is disabled. */
  find(userid: string): UserOptions | undefined;
  setEnabled(userid: string, enabled: boolean): void;
  /** The second factors of the challenge, as proxmox-tfa writes them; undefined if the password is sufficient. */
  factorsOf(userid: string): Readonly<Record<string, unknown>> | undefined;
  /** Verifies the response to a challenge: `totp:123456`, or only the code. */
  takeFactor(userid: string, answer: string): boolean;
}

/** Number of wrong codes that lock the app until a recovery key is used. */
const mostWrong = 8;

export function createAccounts(users: readonly UserOptions[]): Accounts {
  const disabled = new Set(users.filter(({ enabled }) => enabled === false).map(({ userid }) => userid));
  const used = new Set<string>();
  const wrong = new Map<string, number>();

  const userOf = (userid: string) => users.find((user) => user.userid === userid);
  const keysOf = (user: UserOptions) =>
    (user.recovery ?? []).flatMap((key, index) =>
      used.has(`${user.userid} ${key}`) ? [] : [{ key, index }],
    );
  const isLocked = (user: UserOptions) => (wrong.get(user.userid) ?? 0) >= mostWrong;

  function isCode(user: UserOptions, code: string): boolean {
    if (user.totp === undefined || isLocked(user)) return false;
    const good = code === user.totp;
    wrong.set(user.userid, good ? 0 : (wrong.get(user.userid) ?? 0) + 1);
    return good;
  }

  function isKey(user: UserOptions, key: string): boolean {
    if (!keysOf(user).some((left) => left.key === key)) return false;
    used.add(`${user.userid} ${key}`);
    wrong.delete(user.userid);
    return true;
  }

  return {
    find: (userid) => (disabled.has(userid) ? undefined : userOf(userid)),
    setEnabled(userid, enabled) {
      if (enabled) disabled.delete(userid);
      else disabled.add(userid);
    },
    factorsOf(userid) {
      const user = userOf(userid);
      if (!user || !(user.totp ?? user.recovery ?? user.webauthn)) return undefined;
      const keys = keysOf(user).map(({ index }) => index);
      return {
        ...(user.totp !== undefined && !isLocked(user) ? { totp: true } : {}),
        ...(keys.length > 0 ? { recovery: keys } : {}),
        ...(user.webauthn ? { webauthn: { publicKey: { challenge: 'AAAA', timeout: 60_000 } } } : {}),
      };
    },
    takeFactor(userid, answer) {
      const user = userOf(userid);
      const [, kind = 'totp', code = ''] = /^(?:(totp|recovery):)?(.*)$/s.exec(answer) ?? [];
      if (!user) return false;
      return kind === 'recovery' ? isKey(user, code) : isCode(user, code);
    },
  };
}
