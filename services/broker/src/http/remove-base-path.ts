import { basePathOf, withoutBasePath } from '@porthole/shared/http/base-path';
import type { Step } from './context.ts';

/** Routes and pages have the same paths wherever Porthole is published. Adds the slash at the end of the base path. */
export function removeBasePath(publicUrl: URL): Step {
  const basePath = basePathOf(publicUrl);
  return async (ctx, next) => {
    if (basePath !== '' && ctx.path === basePath) {
      ctx.state.route = 'page';
      ctx.redirect(`${basePath}/${ctx.search}`);
      ctx.status = 308;
      return;
    }
    ctx.path = withoutBasePath(basePath, ctx.path);
    await next();
  };
}
