import { useEffect, useState } from 'preact/hooks';
import { api, type User } from '../api.ts';
import { safeReturnPath, signInReasons, type SignInReason } from '../paths.ts';
import { MachinesPage } from './machines-page.tsx';
import { SignIn } from './sign-in.tsx';
import { Unreachable } from './unreachable.tsx';

type Who =
  | { readonly known: 'not-yet' }
  | { readonly known: 'nobody'; readonly note?: SignInReason }
  | { readonly known: 'somebody'; readonly user: User }
  | { readonly known: 'unreachable' };

/** Sign-in page or list, whichever fits: the address is the same, so a bookmark works for both. */
export function App() {
  const [who, setWho] = useState<Who>({ known: 'not-yet' });

  const look = async () => {
    const answer = await api.me();
    if (answer.ok) return enter(answer.value.user);
    if (answer.problem.code !== 'not_signed_in') return setWho({ known: 'unreachable' });
    const why = new URLSearchParams(location.search).get('why');
    const note = signInReasons.find((reason) => reason === why);
    setWho(note ? { known: 'nobody', note } : { known: 'nobody' });
  };

  const enter = (user: User) => {
    const wanted = safeReturnPath(new URLSearchParams(location.search).get('return'), location.origin);
    if (wanted) return location.replace(wanted);
    // What brought us here is done with; a reload should not say it again.
    if (location.search) history.replaceState(null, '', '/');
    setWho({ known: 'somebody', user });
  };

  useEffect(() => void look(), []);
  useEffect(() => {
    document.title = who.known === 'somebody' ? 'Your machines – Porthole' : 'Porthole';
    document.body.dataset['page'] =
      who.known === 'somebody' ? 'machines' : who.known === 'nobody' ? 'sign-in' : who.known;
  }, [who.known]);

  switch (who.known) {
    case 'not-yet':
      return null;
    case 'nobody':
      return <SignIn note={who.note} entered={enter} />;
    case 'somebody':
      return <MachinesPage user={who.user} left={(note) => setWho({ known: 'nobody', note })} />;
    case 'unreachable':
      return <Unreachable retry={() => void look()} />;
    default:
      return who satisfies never;
  }
}
