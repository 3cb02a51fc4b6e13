import type { Middleware, ParameterizedContext } from 'koa';
import type { User } from '../identity/user.ts';
import type { Route } from '../metrics.ts';

/** What the middleware that handles a request sets for the log line, the metrics, and error responses. */
export interface RequestState {
  requestId: string;
  /** The metrics label of the route. */
  route?: Route;
  user?: User;
  /** The ID of the trace that the request started, if it is recorded. */
  trace?: string;
}

/** The Koa context of a request. */
export type Context = ParameterizedContext<RequestState>;
/** Koa middleware: one step of handling a request. */
export type Step = Middleware<RequestState>;
