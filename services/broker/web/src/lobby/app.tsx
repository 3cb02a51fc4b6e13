import { useEffect, useState } from 'preact/hooks';
import { api, type User } from '../api.ts';
import { basePath } from '../base-path.ts';
import { safeReturnPath, sessionsPath, signInReasons, type SignInReason } from '../paths.ts';
import { MachinesPage } from './machines/machines-page.tsx';
import { SessionsPage } from './sessions/sessions-page.tsx';
import { SignInPage } from './sign-in/sign-in-page.tsx';
import { UnreachablePage } from './unreachable-page.tsx';

type SignInState =
  | { readonly name: 'unknown' }
  | { readonly name: 'signed-out'; readonly reason?: SignInReason }
  | { readonly name: 'signed-in'; readonly user: User; readonly canSeeSessions: boolean }
  | { readonly name: 'unreachable' };

/** The sign-in page or a list. Both have the same address, so that a bookmark works in either state. */
export function App() {
  const [state, setState] = useState<SignInState>({ name: 'unknown' });
  const atSessions = location.pathname === sessionsPath;

  const load = async () => {
    const answer = await api.me();
    if (answer.ok) return showList(answer.value.user, answer.value.canSeeSessions ?? false);
    if (answer.problem.code !== 'not_signed_in') return setState({ name: 'unreachable' });
    const why = new URLSearchParams(location.search).get('why');
    const reason = signInReasons.find((each) => each === why);
    setState(reason ? { name: 'signed-out', reason } : { name: 'signed-out' });
  };

  const showList = (user: User, canSeeSessions: boolean) => {
    const wanted = safeReturnPath(new URLSearchParams(location.search).get('return'), location.origin);
    if (wanted) return location.replace(wanted);
    // A reload must not show the reason for the sign-in again.
    if (location.search && !atSessions) history.replaceState(null, '', basePath);
    setState({ name: 'signed-in', user, canSeeSessions });
  };

  useEffect(() => void load(), []);
  useEffect(() => showPage(state.name, atSessions), [state.name]);

  switch (state.name) {
    case 'unknown':
      return null;
    case 'signed-out':
      // The answer to a sign-in does not say what the user may see, so `load` asks.
      return <SignInPage reason={state.reason} onSignedIn={() => void load()} />;
    case 'signed-in': {
      const onSignedOut = (reason: SignInReason) => setState({ name: 'signed-out', reason });
      const { user, canSeeSessions } = state;
      const Page = atSessions ? SessionsPage : MachinesPage;
      return <Page user={user} canSeeSessions={canSeeSessions} onSignedOut={onSignedOut} />;
    }
    case 'unreachable':
      return <UnreachablePage retry={() => void load()} />;
    default:
      return state satisfies never;
  }
}

/** For the browser's tab, style sheets and tests. */
function showPage(state: SignInState['name'], atSessions: boolean): void {
  const heading = atSessions ? 'Live consoles' : 'Your machines';
  document.title = state === 'signed-in' ? `${heading} – Porthole` : 'Porthole';
  const list = atSessions ? 'sessions' : 'machines';
  document.body.dataset['page'] = state === 'signed-in' ? list : state === 'signed-out' ? 'sign-in' : state;
}
