import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { loadPages, type PageFiles } from './load-pages.ts';

/** The pages in memory. */
export interface Pages {
  /** Undefined until the component has started. */
  readonly files: () => PageFiles | undefined;
  readonly component: LifecycleComponent;
}

export function createPages(folder: string, basePath: string): Pages {
  let files: PageFiles | undefined;
  return {
    files: () => files,
    component: {
      name: 'pages',
      async start() {
        files = await loadPages(folder, basePath);
      },
    },
  };
}
