import type { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ClientMessage } from '@porthole/shared/protocol/control-messages';
import type { MemberConsole } from './class-console.ts';
import type { ClassWatcher } from './class-watcher.ts';
import type { SessionLifecycle } from './lifecycle.ts';
import { raiseHand, type RaiseHandDeps } from './raise-hand.ts';

/** The part of a console in the classes of its user. */
export interface ClassMembership {
  /** The user raises or lowers their hand. */
  onHelp(message: Extract<ClientMessage, { readonly type: 'help' }>): void;
}

/** Lets a console take part in the classes of its user, as long as its session lives. Undefined: the user is in none. */
export type JoinClasses = (
  console: Omit<MemberConsole, 'end'> & {
    readonly claims: Pick<GrantClaims, 'classes' | 'follows'>;
    readonly lifecycle: Pick<SessionLifecycle, 'own' | 'end'>;
  },
) => ClassMembership | undefined;

export function createJoinClasses(
  deps: RaiseHandDeps & { readonly watcher: Pick<ClassWatcher, 'register'> },
): JoinClasses {
  return ({ lifecycle, ...console }) => {
    const { claims } = console;
    const classNames = claims.follows ? [claims.follows.class] : memberClassesOf(claims);
    if (classNames.length === 0) return undefined;
    const end = (error: PortholeError) => lifecycle.end(error);
    const registration = deps.watcher.register(classNames, { ...console, end });
    lifecycle.own(() => registration.stop());
    if (claims.follows) return undefined;
    return {
      onHelp: (message) =>
        // Without success, the page learns that nothing has changed.
        void raiseHand(deps, classNames, claims.user, message).catch(() => registration.tellHelp()),
    };
  };
}

export function isMember(claims: Pick<GrantClaims, 'classes' | 'follows'>): boolean {
  return claims.follows === undefined && memberClassesOf(claims).length > 0;
}

function memberClassesOf({ classes = [] }: Pick<GrantClaims, 'classes'>): readonly string[] {
  return classes.flatMap(({ name, role }) => (role === 'member' ? name : []));
}
