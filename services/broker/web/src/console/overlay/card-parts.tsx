import { basePath } from '../../base-path.ts';
import type { View } from '../connection/view.ts';

export function MachinesLink({ primary = false }: { readonly primary?: boolean }) {
  return (
    <a class={primary ? 'button primary' : 'button'} href={basePath} data-home>
      Your machines
    </a>
  );
}

export function SupportId({ view }: { readonly view: View }) {
  if (!view.supportId) return null;
  return (
    <p class="support">
      Support number <code>{view.supportId}</code>
    </p>
  );
}
