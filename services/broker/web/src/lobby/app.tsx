import { useEffect, useState } from 'preact/hooks';
import { api, type User } from '../api.ts';
import { safeReturnPath, sessionsPath, signInReasons, type SignInReason } from '../paths.ts';
import { MachinesPage } from './machines/machines-page.tsx';
import { SessionsPage } from './sessions/sessions-page.tsx';
import { SignInPage } from './sign-in/sign-in-page.tsx';
import { UnreachablePage } from './unreachable-page.tsx';

type Who =
  | { readonly known: 'not-yet' }
  | { readonly known: 'nobody'; readonly note?: SignInReason }
  | { readonly known: 'somebody'; readonly user: User; readonly oversees: boolean }
  | { readonly known: 'unreachable' };

/** Sign-in page or list, whichever fits: the address is the same, so a bookmark works for both. */
export function App() {
  const [who, setWho] = useState<Who>({ known: 'not-yet' });
  const atSessions = location.pathname === sessionsPath;
  const heading = atSessions ? 'Live consoles' : 'Your machines';

  const look = async () => {
    const answer = await api.me();
    if (answer.ok) return enter(answer.value.user, answer.value.oversees ?? false);
    if (answer.problem.code !== 'not_signed_in') return setWho({ known: 'unreachable' });
    const why = new URLSearchParams(location.search).get('why');
    const note = signInReasons.find((reason) => reason === why);
    setWho(note ? { known: 'nobody', note } : { known: 'nobody' });
  };

  const enter = (user: User, oversees: boolean) => {
    const wanted = safeReturnPath(new URLSearchParams(location.search).get('return'), location.origin);
    if (wanted) return location.replace(wanted);
    // What brought us here is done with; a reload should not say it again.
    if (location.search && !atSessions) history.replaceState(null, '', '/');
    setWho({ known: 'somebody', user, oversees });
  };

  const left = (note: SignInReason) => setWho({ known: 'nobody', note });

  useEffect(() => void look(), []);
  useEffect(() => {
    document.title = who.known === 'somebody' ? `${heading} – Porthole` : 'Porthole';
    document.body.dataset['page'] =
      who.known === 'somebody'
        ? atSessions
          ? 'sessions'
          : 'machines'
        : who.known === 'nobody'
          ? 'sign-in'
          : who.known;
  }, [who.known]);

  switch (who.known) {
    case 'not-yet':
      return null;
    case 'nobody':
      // The answer to a sign-in does not say what else somebody may: that is asked.
      return <SignInPage note={who.note} entered={() => void look()} />;
    case 'somebody':
      return atSessions ? (
        <SessionsPage user={who.user} oversees={who.oversees} left={left} />
      ) : (
        <MachinesPage user={who.user} oversees={who.oversees} left={left} />
      );
    case 'unreachable':
      return <UnreachablePage retry={() => void look()} />;
    default:
      return who satisfies never;
  }
}
