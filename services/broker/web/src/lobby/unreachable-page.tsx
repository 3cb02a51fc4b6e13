import { Brand } from './brand.tsx';

export function UnreachablePage({ retry }: { readonly retry: () => void }) {
  return (
    <main class="message-page">
      <Brand />
      <div class="notice" role="alert">
        <h1>Porthole is not responding</h1>
        <p>Check your network, or try again in a moment.</p>
        <button type="button" class="button primary" onClick={retry}>
          Try again
        </button>
      </div>
    </main>
  );
}
