import { useEffect, useState } from 'preact/hooks';
import { currentLanguage } from '../language/current-language.ts';
import { t } from '../language/t.ts';
import { useLanguage } from '../language/use-language.ts';
import { api, type User } from '../api.ts';
import { basePath } from '../base-path.ts';
import {
  classesPath,
  recordingsPath,
  safeReturnPath,
  sessionsPath,
  signInReasons,
  type SignInReason,
} from '../paths.ts';
import { ClassesPage } from './classes/classes-page.tsx';
import { MachinesPage } from './machines/machines-page.tsx';
import type { PageProps } from './page-header.tsx';
import { RecordingsPage } from './recordings/recordings-page.tsx';
import { SessionsPage } from './sessions/sessions-page.tsx';
import { SignInPage } from './sign-in/sign-in-page.tsx';
import { UnreachablePage } from './unreachable-page.tsx';

type SignInState =
  | { readonly name: 'unknown' }
  | { readonly name: 'signed-out'; readonly reason?: SignInReason }
  | ({ readonly name: 'signed-in'; readonly user: User } & MaySee)
  | { readonly name: 'unreachable' };

type MaySee = Pick<PageProps, 'canSeeSessions' | 'canSeeClasses' | 'canSeeRecordings'>;

/** The lists, each with its address. */
const lists = {
  machines: { heading: 'yourMachines', Page: MachinesPage },
  sessions: { heading: 'liveConsoles', Page: SessionsPage },
  classes: { heading: 'classes', Page: ClassesPage },
  recordings: { heading: 'recordings', Page: RecordingsPage },
} as const;
type ListName = keyof typeof lists;

/** The sign-in page or a list. Both have the same address, so that a bookmark works in either state. */
export function App() {
  useLanguage();
  const [state, setState] = useState<SignInState>({ name: 'unknown' });
  const list = listAt(location.pathname);

  const load = async () => {
    const answer = await api.me();
    if (answer.ok) {
      const { user, canSeeSessions = false, canSeeClasses = false, canSeeRecordings = false } = answer.value;
      return showList(user, { canSeeSessions, canSeeClasses, canSeeRecordings });
    }
    if (answer.problem.code !== 'not_signed_in') return setState({ name: 'unreachable' });
    const why = new URLSearchParams(location.search).get('why');
    const reason = signInReasons.find((each) => each === why);
    setState(reason ? { name: 'signed-out', reason } : { name: 'signed-out' });
  };

  const showList = (user: User, maySee: MaySee) => {
    const wanted = safeReturnPath(new URLSearchParams(location.search).get('return'), location.origin);
    if (wanted) return location.replace(wanted);
    // A reload must not show the reason for the sign-in again.
    if (location.search && list === 'machines') history.replaceState(null, '', basePath);
    setState({ name: 'signed-in', user, ...maySee });
  };

  useEffect(() => void load(), []);
  useEffect(() => showPage(state.name, list), [state.name, currentLanguage()]);

  switch (state.name) {
    case 'unknown':
      return null;
    case 'signed-out':
      // The answer to a sign-in does not say what the user may see, so `load` asks.
      return <SignInPage reason={state.reason} onSignedIn={() => void load()} />;
    case 'signed-in': {
      const onSignedOut = (reason: SignInReason) => setState({ name: 'signed-out', reason });
      const { Page } = lists[list];
      return <Page {...state} onSignedOut={onSignedOut} />;
    }
    case 'unreachable':
      return <UnreachablePage retry={() => void load()} />;
    default:
      return state satisfies never;
  }
}

function listAt(path: string): ListName {
  if (path === sessionsPath) return 'sessions';
  if (path === recordingsPath) return 'recordings';
  return path === classesPath ? 'classes' : 'machines';
}

/** For the browser's tab, style sheets and tests. */
function showPage(state: SignInState['name'], list: ListName): void {
  const { heading } = lists[list];
  document.title = state === 'signed-in' ? `${t(heading)} – Porthole` : 'Porthole';
  document.body.dataset['page'] = state === 'signed-in' ? list : state === 'signed-out' ? 'sign-in' : state;
}
